/** Somebody who uses Tidegate, as the gateway has authenticated them. */
export interface Person {
  /** `user:mei` */
  readonly id: string
  /** Roles without a prefix: `billing-lead`. The role `operator` may stop, lift and undo. */
  readonly roles: readonly string[]
}

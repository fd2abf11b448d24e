/** Reports a broken invariant. Each checker is itself checked: a mutation switches its control off, and it must report (I11). */
export type Report = (invariant: string, message: string) => void

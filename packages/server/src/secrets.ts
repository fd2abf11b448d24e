import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { ServerError } from './error.ts'
import type { SecretReference } from '@tidegate/project'

/** The largest secret that is read from a file, in bytes. */
const MAX_BYTES = 65_536

/**
 * Creates the source of declared secrets. A secret is read at every use, so that a rotated one needs no restart, and is kept
 * nowhere. Errors name the secret and where it should be, never its value.
 */
export function createSecretSource(options: {
  readonly project: string
  readonly secrets: Readonly<Record<string, SecretReference>>
  readonly environment: Readonly<Record<string, string | undefined>>
}) {
  return async (name: string): Promise<string> => {
    const reference = Object.hasOwn(options.secrets, name) ? options.secrets[name] : undefined
    if (reference === undefined) throw new ServerError('secret_unavailable', `The configuration declares no secret "${name}".`)
    return readSecret(name, reference, options)
  }
}

/** Reads one secret. @throws ServerError `secret_unavailable`. */
export function readSecret(
  name: string,
  reference: SecretReference,
  { project, environment }: { readonly project: string; readonly environment: Readonly<Record<string, string | undefined>> },
): string {
  if ('env' in reference) {
    const value = environment[reference.env]
    if (value === undefined || value === '')
      throw new ServerError('secret_unavailable', `The secret "${name}" is to come from ${reference.env}, which is not set.`)
    return value
  }
  const value = readSmallFile(name, resolve(project, reference.file)).trimEnd()
  if (value === '') throw new ServerError('secret_unavailable', `The file of the secret "${name}" is empty.`)
  return value
}

function readSmallFile(name: string, file: string): string {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, 'r')
    const { size } = fstatSync(descriptor)
    if (size > MAX_BYTES)
      throw new ServerError('secret_unavailable', `The file of the secret "${name}" has more than ${MAX_BYTES} bytes.`)
    const bytes = Buffer.alloc(size)
    return bytes.subarray(0, readSync(descriptor, bytes)).toString('utf8')
  } catch (cause) {
    if (cause instanceof ServerError) throw cause
    throw new ServerError('secret_unavailable', `The file of the secret "${name}" cannot be read: ${file}`, { cause })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

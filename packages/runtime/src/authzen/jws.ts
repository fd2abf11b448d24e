import {
  canonicalJson,
  decodeBase64,
  decodeUtf8,
  encodeBase64,
  encodeUtf8,
  type Hasher,
  isObject,
  type JsonObject,
  parseJson,
  type SignatureVerifier,
  type Signer,
} from '@tidegate/kernel'

/** What signs and verifies, and under which name. One key, so that what it signed it can check again after a restart. */
export interface JwsParts {
  readonly signer: Signer
  readonly verifier: SignatureVerifier
  readonly hasher: Hasher
}

/** Keeps one kind of signed value from being taken for another. */
export type JwsType = 'tidegate-binding+jwt' | 'tidegate-approval+jwt' | 'JWT'

/** The longest signed value that is looked at, in characters. */
const MAX_LENGTH = 8_192
const MAX_DEPTH = 8

/** Signs claims as a compact JWS (RFC 7515) with Ed25519 (RFC 8037). The same claims give the same text. */
export function signJws(parts: JwsParts, typ: JwsType, claims: JsonObject): string {
  const header = { alg: 'EdDSA', kid: keyId(parts), typ }
  const signed = `${encodePart(canonicalJson(header))}.${encodePart(canonicalJson(claims))}`
  return `${signed}.${toUrl(encodeBase64(parts.signer.sign(encodeUtf8(signed))))}`
}

/**
 * The claims of a compact JWS that this very key signed as this very type; undefined for anything else. Whoever sends it controls
 * all of it: the algorithm and the key are ours and are not taken from the header. Times, issuer and audience are the caller's to check.
 */
export function verifyJws(parts: JwsParts, typ: JwsType, text: string): JsonObject | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const [head, body, tail, ...more] = text.split('.')
  if (head === undefined || body === undefined || tail === undefined || more.length > 0) return undefined
  const signature = decodePart(tail)
  if (signature === undefined) return undefined
  if (!parts.verifier.verify(parts.signer.publicKey, encodeUtf8(`${head}.${body}`), signature)) return undefined
  const [header, claims] = [readPart(head), readPart(body)]
  const ours = header !== undefined && header.alg === 'EdDSA' && header.kid === keyId(parts) && header.typ === typ
  return ours ? claims : undefined
}

/** The public key as a JWK Set (RFC 7517, RFC 8037), for whoever wants to check what we sign. */
export function jwkSet(parts: JwsParts): JsonObject {
  return { keys: [{ ...publicJwk(parts), alg: 'EdDSA', kid: keyId(parts), use: 'sig' }] }
}

/** RFC 7638: the thumbprint of the public key. */
function keyId(parts: JwsParts): string {
  return toUrl(encodeBase64(parts.hasher.sha256(canonicalJson(publicJwk(parts)))))
}

function publicJwk({ signer }: JwsParts): { readonly crv: string; readonly kty: string; readonly x: string } {
  return { crv: 'Ed25519', kty: 'OKP', x: toUrl(encodeBase64(signer.publicKey)) }
}

function readPart(part: string): JsonObject | undefined {
  const bytes = decodePart(part)
  if (bytes === undefined) return undefined
  try {
    const value = parseJson(decodeUtf8(bytes), { maxBytes: MAX_LENGTH, maxDepth: MAX_DEPTH })
    return isObject(value) ? value : undefined
  } catch {
    return undefined // signed by us and still not JSON: nothing that we ever wrote
  }
}

/** Text as unpadded Base64url (RFC 4648, section 5). */
export function encodePart(text: string): string {
  return toUrl(encodeBase64(encodeUtf8(text)))
}

/** The bytes of unpadded Base64url; undefined for what {@link encodePart} never writes. */
export function decodePart(part: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(part)) return undefined
  return decodeBase64(
    part
      .replaceAll('-', '+')
      .replaceAll('_', '/')
      .padEnd(Math.ceil(part.length / 4) * 4, '='),
  )
}

/** Standard Base64 as unpadded Base64url. */
export function toUrl(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

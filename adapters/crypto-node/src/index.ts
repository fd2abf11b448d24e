export { systemClock } from './clock.ts'
export { nodeEntropy } from './entropy.ts'
export { nodeHasher } from './hasher.ts'
export { createSigningKey, nodeVerifier, signerOf } from './signing.ts'

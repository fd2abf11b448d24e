export { WITNESS_HTTP_ERROR_CODES, WitnessHttpError, type WitnessHttpErrorCode } from './error.ts'
export { createHttpWitness, type HttpWitness, type HttpWitnessOptions } from './http-witness.ts'

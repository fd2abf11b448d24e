/** Computes something at most once, and only when it is asked for. What is computed must not depend on when. */
export function once<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined
  return () => {
    known ??= { value: compute() }
    return known.value
  }
}

/** True when an SPDX expression leaves us a choice among the allowed licences. What is no such expression is not allowed. */
export function isLicensed(expression: string, allowed: readonly string[]): boolean {
  const tokens = expression.match(/\(|\)|[^\s()]+/g) ?? []
  let at = 0
  const anyOf = (): boolean => {
    let ok = allOf()
    while (tokens[at] === 'OR') {
      at += 1
      ok = allOf() || ok
    }
    return ok
  }
  const allOf = (): boolean => {
    let ok = one()
    while (tokens[at] === 'AND') {
      at += 1
      ok = one() && ok
    }
    return ok
  }
  const one = (): boolean => {
    const token = tokens[at++]
    if (token !== '(') return token !== undefined && allowed.includes(token)
    const ok = anyOf()
    return tokens[at++] === ')' && ok
  }
  const ok = anyOf()
  return ok && at === tokens.length
}

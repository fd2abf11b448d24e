/** A text as one word for a shell, whatever is in it but U+0000. */
export function quoteWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

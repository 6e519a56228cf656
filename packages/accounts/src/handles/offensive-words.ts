/** Slurs that are refused wherever they stand in a label: no other word has them in it. */
const anywhere = ['faggot', 'nigga', 'nigger', 'sandnigg', 'towelhead', 'wetback']

/** Slurs that are refused as a word of their own: other words and names have them in them. */
const alone = ['chink', 'coon', 'fag', 'gook', 'kike', 'paki', 'spic', 'tranny', 'trannies']

/** Digits that stand for a letter, and letters that look like another. */
const lookalikes: Readonly<Record<string, string>> = {
  a: 'a4',
  b: 'b8',
  e: 'e3',
  g: 'g9',
  i: 'i1l',
  l: 'l1i',
  o: 'o0',
  s: 's5',
  t: 't7',
}

const anywherePatterns = anywhere.map((word) => new RegExp(spelled(word)))
const alonePatterns = alone.map((word) => new RegExp(`^${spelled(word)}s*\\d*$`))

/**
 * Tells whether a label of a handle is or holds an offensive word, also when letters are repeated, replaced by digits
 * or set apart by hyphens. Our own list is short: slurs that hardly anybody wants to host. A tenant adds to it.
 *
 * @param added words that count wherever they stand, in lower case.
 */
export function isOffensive(label: string, added: readonly string[]): boolean {
  const joined = label.replaceAll('-', '')
  if (
    [...anywherePatterns, ...added.map((word) => new RegExp(spelled(word)))].some((each) => each.test(joined))
  ) {
    return true
  }
  const words = [joined, ...label.split('-')]
  return alonePatterns.some((each) => words.some((word) => each.test(word)))
}

/** A pattern of the word with each run of a letter at least as long: `gg` is not found in `niger`. */
function spelled(word: string): string {
  const runs = word.match(/([a-z0-9])\1*/g) ?? []
  return runs.map((run) => `[${lookalikes[run[0] ?? ''] ?? run[0]}]{${run.length},}`).join('')
}

import { type Pair, type Scalar, type YAMLMap, isMap, parseDocument } from 'yaml'

/** One value of the chart. */
export type Value = { key: string; default: string; description: string }

/** Returns every value that has no values below it, with the comment that begins with `# --`. */
export function readValues(valuesYaml: string): Value[] {
  const found = valuesBelow(parseDocument(valuesYaml).contents as YAMLMap, '', undefined)
  const descriptions = new Map(found.map(({ key, description }) => [key, description]))
  // What is said of api's keys holds for those of the other roles.
  const inherited = (key: string) =>
    descriptions.get(key.replace(/^(firehose|sequencer|worker)\./, 'api.')) ?? ''
  return found.map((value) => ({ ...value, description: value.description || inherited(value.key) }))
}

function valuesBelow(map: YAMLMap, path: string, comment: string | null | undefined): Value[] {
  return map.items.flatMap((item, i) => {
    const pair = item as Pair<Scalar<string>>
    const key = `${path}${pair.key.value}`
    const before = i === 0 ? (pair.key.commentBefore ?? comment) : pair.key.commentBefore
    const description = describe(before)
    const { value } = pair
    const isGroup = isMap(value) && value.items.length > 0 && !value.flow && description === ''
    const isRole = isMap(value) && value.items.some((below) => String(below.key) === 'replicas')
    if (isMap(value) && (isGroup || isRole)) return valuesBelow(value, `${key}.`, value.commentBefore)
    return [{ key, default: JSON.stringify((value as { toJSON(): unknown }).toJSON()), description }]
  })
}

/** The text of a comment from the line that begins with two dashes. */
function describe(comment: string | null | undefined): string {
  const lines = (comment ?? '').split('\n').map((line) => line.trim())
  const start = lines.findLastIndex((line) => line.startsWith('-- '))
  return start === -1 ? '' : lines.slice(start).join(' ').replace(/^-- /, '')
}

/** Returns the chart's README with its table of values made anew. */
export function chartReadme(readme: string, valuesYaml: string): string {
  const cell = (text: string) => text.replaceAll('|', '\\|')
  const rows = readValues(valuesYaml).map(
    ({ key, default: text, description }) => `| \`${key}\` | \`${cell(text)}\` | ${cell(description)} |`,
  )
  const table = ['| value | default | meaning |', '|---|---|---|', ...rows].join('\n')
  const marker = '<!-- Below this line: made of values.yaml by pnpm gen. -->\n'
  return `${readme.slice(0, readme.indexOf(marker))}${marker}\n${table}\n`
}

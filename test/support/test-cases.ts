/** Reads the names of tests out of a test file, without running it. */
import { type ESTree, parseSync } from 'vite'

/** One `test` or `it` of a file, or a group of them. */
export type TestCase = {
  /** Its own name: the text between the quotes, `${…}` and `%s` as they stand there. */
  title: string
  /** The names of the groups around it and its own, joined by ` › `; a repeated one ends in ` #2`, ` #3`. */
  name: string
  /** Where it begins, as an offset into the text. */
  start: number
}

const groups = new Set(['describe', 'suite'])
const tests = new Set(['test', 'it'])

/**
 * Returns the tests of a file in order, `each` and its kind as one test.
 *
 * @throws {Error} if the text is not TypeScript.
 */
export function testCases(path: string, text: string): TestCase[] {
  return named(calls(path, text, tests))
}

/**
 * Returns the groups of tests of a file in order.
 *
 * @throws {Error} if the text is not TypeScript.
 */
export function testGroups(path: string, text: string): TestCase[] {
  return named(calls(path, text, groups))
}

function named(found: readonly Found[]): TestCase[] {
  const seen = new Map<string, number>()
  return found.map(({ title, start, around }) => {
    const name = [...around, title].join(' › ')
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return { title, start, name: count === 1 ? name : `${name} #${count}` }
  })
}

type Found = { title: string; start: number; around: string[]; callee: string }

function calls(path: string, text: string, callees: ReadonlySet<string>): Found[] {
  const { program, errors } = parseSync(path, text, { lang: 'ts' })
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  return [...callsIn(program, text, [])].filter(({ callee }) => callees.has(callee))
}

function* callsIn(node: unknown, text: string, around: string[]): Generator<Found> {
  if (Array.isArray(node)) {
    for (const child of node) yield* callsIn(child, text, around)
    return
  }
  if (!isNode(node)) return
  let inside = around
  if (node.type === 'CallExpression') {
    const title = titleOf(node, text)
    const callee = calleeName(node.callee)
    if (title !== undefined) yield { title, start: node.start, around, callee }
    if (title !== undefined && groups.has(callee)) inside = [...around, title]
  }
  for (const child of Object.values(node)) yield* callsIn(child, text, inside)
}

function isNode(value: unknown): value is ESTree.Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

/** The name that a call begins with: `test` for `test.each(table)(…)`. */
function calleeName(callee: ESTree.Node): string {
  if (callee.type === 'Identifier') return callee.name
  if (callee.type === 'MemberExpression') return calleeName(callee.object)
  if (callee.type === 'CallExpression') return calleeName(callee.callee)
  return ''
}

function titleOf({ arguments: [first] }: ESTree.CallExpression, text: string): string | undefined {
  if (first?.type === 'Literal' && typeof first.value === 'string') return first.value
  return first?.type === 'TemplateLiteral' ? text.slice(first.start + 1, first.end - 1) : undefined
}

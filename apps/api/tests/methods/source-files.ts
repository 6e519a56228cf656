/** Finds where a method is told of: the code that serves it, and the tests that call it. */
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Of the project. */
export const projectDir = join(import.meta.dirname, '../../../..')

/** A file of the project. */
type Source = { path: string; text: string }

/** What the code says of a method that it serves. */
export type Served = { path: string; description: string }

/** Returns the methods that the api's code says it serves, in the comments of their functions. */
export function servedMethods(): Map<string, Served> {
  const found = new Map<string, Served>()
  for (const { path, text } of read('apps/{api,firehose}/src/**/*.ts')) {
    for (const [comment] of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
      const words = comment.replace(/^\/\*\*|\*\/$|\n\s*\*/g, ' ').replace(/\s+/g, ' ')
      const [, nsid, other, description] = /^ ?([a-z]+(?:\.\w+){2,})(?: and (\w+))?: (.*)$/.exec(words) ?? []
      if (nsid === undefined || description === undefined) continue
      const served = { path, description: firstSentence(description) }
      found.set(nsid, served)
      if (other !== undefined) found.set(nsid.replace(/\w+$/, other), served)
    }
  }
  return found
}

function firstSentence(text: string): string {
  const [sentence = ''] = text.split(/[.;] |\.$| \(REFERENCE/)
  return sentence.trim()
}

/** Returns the test files that call a method by its name or in parts: `${server}.getSession`, `${server}.${name}`. */
export function testFinder(): (nsid: string) => string[] {
  const tests = read('{apps,test}/**/*.test.ts').filter(({ path }) => !everyMethod.test(path))
  return (nsid) => {
    const [group, name] = [nsid.replace(/\.\w+$/, ''), nsid.replace(/^.*\./, '')]
    const full = new RegExp(`\\b${nsid.replaceAll('.', String.raw`\.`)}\\b`)
    const inParts = new RegExp(String.raw`\$\{\w+\}\.${name}\b|'${name}'`)
    const names = [`'${group}'`, `${group}.$`]
    return tests
      .filter(
        ({ text }) => full.test(text) || (names.some((part) => text.includes(part)) && inParts.test(text)),
      )
      .map(({ path }) => path)
  }
}

/** Tests that walk over all methods. */
const everyMethod = /\/(access|isolation|fuzz\/methods)\.test\.ts$/

function read(pattern: string): Source[] {
  const exclude = (name: string) => basename(name) === 'node_modules'
  const paths = globSync(pattern, { cwd: projectDir, exclude }).sort()
  return paths.map((path) => ({ path, text: readFileSync(join(projectDir, path), 'utf8') }))
}

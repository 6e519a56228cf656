/** Which test proves which requirement of the specification: told by tags in the tests. */
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { type TestCase, testCases, testGroups } from '../../support/test-cases.ts'
import { projectDir } from '../reference/coverage.ts'

/** A numbered requirement; one that no test is tagged with says why. */
export type Requirement = {
  /** What it demands, in a few words. */
  demand: string
  /** Why no test of ours can prove it. */
  reason?: string
  /** What has to be done first. */
  pending?: string
}

/** Requirements by number, in the order of the specification. */
export type Section = { title: string; requirements: Record<string, Requirement> }

/** A test or a group of tests that is tagged. */
export type Proof = { path: string; name: string }

const sectionsDir = join(import.meta.dirname, 'sections')
const testFiles = '{apps,packages,infra,test}/**/*.test.ts'
const tagLine = /^ SPEC ((?:[A-Z]+-\d+)(?:, [A-Z]+-\d+)*)$/

/** Reads the sections of the specification. */
export function readSections(): Section[] {
  return globSync('*.json', { cwd: sectionsDir })
    .sort((a, b) => (basename(a) < basename(b) ? -1 : 1))
    .map((file) => JSON.parse(readFileSync(join(sectionsDir, file), 'utf8')) as Section)
}

/**
 * Returns the proofs of all test files by the number of the requirement.
 *
 * @throws {Error} if a tag is not directly above a test or a group.
 */
export function readProofs(): Map<string, Proof[]> {
  const proofs = new Map<string, Proof[]>()
  const exclude = (name: string) => basename(name) === 'node_modules'
  for (const path of globSync(testFiles, { cwd: projectDir, exclude }).sort()) {
    const text = readFileSync(join(projectDir, path), 'utf8')
    if (!text.includes('// SPEC ')) continue
    for (const [number, name] of tagsOf(path, text)) {
      proofs.set(number, [...(proofs.get(number) ?? []), { path, name }])
    }
  }
  return proofs
}

/**
 * Returns the tags of a test file: number and name of the test or group below each.
 *
 * @throws {Error} if a tag is not directly above a test or a group.
 */
export function tagsOf(path: string, text: string): [number: string, name: string][] {
  const below = [...testCases(path, text), ...testGroups(path, text)].sort((a, b) => a.start - b.start)
  return [...text.matchAll(/^[ \t]*\/\/(.*)$/gm)].flatMap((comment) => {
    const numbers = tagLine.exec(comment[1] ?? '')?.[1]
    if (numbers === undefined) return []
    const end = comment.index + comment[0].length
    const target = below.find(({ start }) => start >= end)
    if (target === undefined || !isDirectlyBelow(text, end, target)) {
      throw new Error(`${path}: “${comment[0].trim()}” is not directly above a test or a group`)
    }
    return numbers.split(', ').map((number): [string, string] => [number, target.name])
  })
}

function isDirectlyBelow(text: string, end: number, { start }: TestCase): boolean {
  return (
    text
      .slice(end, start)
      .replace(/^[ \t]*\/\/.*$/gm, '')
      .trim() === ''
  )
}

/** Says which requirements are neither proven nor explained, or both, and which tags name none. */
export function conformanceProblems(
  sections: readonly Section[],
  proofs: ReadonlyMap<string, readonly Proof[]>,
): string[] {
  const requirements = new Map(sections.flatMap((section) => Object.entries(section.requirements)))
  const strangers = [...proofs.keys()].filter((number) => !requirements.has(number))
  const wrong = [...requirements].flatMap(([number, { reason, pending }]) => {
    const accounts = [proofs.has(number), reason !== undefined, pending !== undefined].filter(Boolean).length
    if (accounts === 1) return []
    return accounts === 0
      ? [`${number}: tag its test with “// SPEC ${number}”, or give a reason`]
      : [`${number} has a tag, a reason and a pending note, or two of them: one is right`]
  })
  return [...strangers.map((number) => `${number} is no requirement`), ...wrong]
}

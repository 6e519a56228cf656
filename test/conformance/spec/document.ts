import { basename } from 'node:path'

import { escapeMarkdown } from '../../support/markdown.ts'
import type { Proof, Requirement, Section } from './conformance.ts'

/** Returns docs/conformance.md: every requirement of the specification and the tests that prove it. */
export function conformanceDocument(
  sections: readonly Section[],
  proofs: ReadonlyMap<string, readonly Proof[]>,
): string {
  const all = sections.flatMap(({ requirements }) => Object.values(requirements))
  const reasons = all.filter(({ reason }) => reason !== undefined).length
  const pending = all.filter((requirement) => requirement.pending !== undefined).length
  const tables = sections.map(({ title, requirements }, index) => {
    const rows = Object.entries(requirements).map(
      ([number, requirement]) =>
        `| ${number} | ${escapeMarkdown(requirement.demand)} | ${answer(requirement, proofs.get(number) ?? [])} |`,
    )
    return `## ${index + 1}. ${title}\n\n| number | demand | proof |\n|---|---|---|\n${rows.join('\n')}\n`
  })
  return [
    '# Conformance\n',
    'Generated from the `// SPEC` tags of the tests and from `test/conformance/spec/sections`; do not edit, run ' +
      '`pnpm gen`.\n',
    'Every numbered requirement on a PDS of the protocol, in a few words, and the tests that prove it. A test ' +
      'checks that none is left out: to prove one, write `// SPEC XR-1` directly above the test or its group.\n',
    `| of ${all.length} requirements | |\n|---|---|\n` +
      `| proven by tests | ${all.length - reasons - pending} |\n` +
      `| not to be proven here, with the reason | ${reasons} |\n` +
      `| **pending** | **${pending}** |\n`,
    ...tables,
  ].join('\n')
}

function answer({ reason, pending }: Requirement, proofs: readonly Proof[]): string {
  if (pending !== undefined) return `**pending**: ${escapeMarkdown(pending)}`
  if (reason !== undefined) return escapeMarkdown(reason)
  return proofs
    .map(({ path, name }) => `[${basename(path, '.test.ts')}](../${path}): ${escapeMarkdown(name)}`)
    .join('<br>')
}

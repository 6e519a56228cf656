import { basename } from 'node:path'

import { escapeMarkdown } from '../../support/markdown.ts'
import { type Coverage, type CoverageTable, splitTest } from './coverage.ts'

/** Returns docs/reference-coverage.md: every case of the reference's suite and what answers it. */
export function coverageDocument(table: CoverageTable, version: string): string {
  const all = [...table.values()].flatMap((cases) => [...cases.values()])
  const count = (kind: string) => all.filter((coverage) => kindOf(coverage) === kind).length
  const sections = [...table].map(([file, cases]) => {
    const rows = [...cases].map(([name, coverage]) => `| ${escapeMarkdown(name)} | ${answer(coverage)} |`)
    return `## ${file}\n\n| case | answer |\n|---|---|\n${rows.join('\n')}\n`
  })
  return [
    '# Coverage of the reference’s suite\n',
    'Generated from `test/conformance/reference/cases`; do not edit, run `pnpm gen`.\n',
    `Every case of the test suite of \`@atproto/pds@${version}\`, the reference PDS, by file and title, with the ` +
      'tests of ours that make the same demand, or the reason why none does. A test checks that no case is ' +
      'missing and that every test named here exists.\n',
    `| of ${all.length} cases | |\n|---|---|\n` +
      `| covered by tests of ours | ${count('covered')} |\n` +
      `| the reference is wrong, and a test proves what is right | ${count('wrong')} |\n` +
      `| not applicable, with the reason | ${count('notApplicable')} |\n` +
      `| **pending**: not covered yet | **${count('pending')}** |\n`,
    ...sections,
  ].join('\n')
}

type Kind = 'covered' | 'wrong' | 'notApplicable' | 'pending'

function kindOf(coverage: Coverage): Kind {
  if ('referenceIsWrong' in coverage) return 'wrong'
  if ('tests' in coverage) return 'covered'
  return 'pending' in coverage ? 'pending' : 'notApplicable'
}

function answer(coverage: Coverage): string {
  if ('pending' in coverage) return `**pending**: ${escapeMarkdown(coverage.pending)}`
  if ('notApplicable' in coverage) return `not applicable: ${escapeMarkdown(coverage.notApplicable)}`
  const tests = coverage.tests.map(link).join('<br>')
  if (!('referenceIsWrong' in coverage)) {
    return coverage.note === undefined ? tests : `${tests}<br>${escapeMarkdown(coverage.note)}`
  }
  return `the reference is wrong (${coverage.spec}): ${escapeMarkdown(coverage.referenceIsWrong)}<br>${tests}`
}

function link(test: string): string {
  const { path, name } = splitTest(test)
  return `[${basename(path, '.test.ts')}](../${path}): ${escapeMarkdown(name)}`
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { methodsDocument, unknownMethods, unservedMethods } from './document.ts'
import { notServed, whyNotServed } from './not-served.ts'
import { projectDir } from './source-files.ts'

describe('docs/methods.md', () => {
  test('is what code, lexicons and tests say', () => {
    expect(readFileSync(join(projectDir, 'docs/methods.md'), 'utf8'), 'run pnpm gen').toBe(methodsDocument())
  })

  test('says what each method does, and names a test of it', () => {
    expect(unknownMethods()).toEqual([])
  })

  test('has every method of com.atproto, or the reason why it is not served', () => {
    const unserved = unservedMethods()
    expect(unserved.filter((nsid) => whyNotServed(nsid) === undefined)).toEqual([])
    const reasons = new Set(unserved.map(whyNotServed))
    expect(Object.values(notServed).filter((reason) => !reasons.has(reason))).toEqual([])
  })
})

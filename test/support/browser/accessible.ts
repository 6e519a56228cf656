import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import type { AxeResults } from 'axe-core'
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

import { type Visitor, hosts } from './visitor.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const colors = ['color-contrast', 'link-in-text-block']
const onlyColors = { runOnly: { type: 'rule', values: colors } }
const allButColors = { rules: Object.fromEntries(colors.map((rule) => [rule, { enabled: false }])) }

/** How a page is looked at: colours do not depend on the width, nor what there is on the colours. */
const looks = [
  { colorScheme: 'light', width: 1_280, options: {} },
  { colorScheme: 'dark', width: 1_280, options: onlyColors },
  { colorScheme: 'light', width: 360, options: allButColors },
] as const

/** How the pages of a further tenant are looked at: nothing of them is its own but the colours. */
const furtherLooks = [
  { colorScheme: 'light', width: 1_280, options: onlyColors },
  { colorScheme: 'dark', width: 1_280, options: onlyColors },
] as const

/** What is found by axe and told apart: which rule, where, and why. */
type Finding = string

/**
 * Proves that the page can be used by everybody, in light and dark and on a telephone: axe finds nothing serious or
 * critical, and nothing is beyond the edge.
 *
 * @param sign what shows that the page is the one that is meant, and complete.
 */
export async function expectAccessible({ page, host }: Visitor, sign: Locator): Promise<void> {
  await sign.waitFor()
  const findings: Record<string, Finding[]> = {}
  const seen = page.viewportSize()
  for (const { colorScheme, width, options } of host.url === hosts[0]?.url ? looks : furtherLooks) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 800 })
    await stillness(page)
    const found = [...(await violations(page, options)), ...(await overflow(page))]
    if (found.length > 0) findings[`${String(sign)}, ${colorScheme}, ${width} wide`] = found
  }
  await page.emulateMedia({ colorScheme: 'light' })
  if (seen !== null) await page.setViewportSize(seen)
  expect(findings).toEqual({})
}

/** Resolves when every transition has ended. */
async function stillness(page: Page): Promise<void> {
  await page.evaluate(
    'Promise.all(document.getAnimations().map((one) => one.finished.catch(() => undefined)))',
  )
}

async function violations(page: Page, options: object): Promise<Finding[]> {
  await page.evaluate(`if (globalThis.axe === undefined) { ${axe} }`)
  const all = JSON.stringify({ resultTypes: ['violations'], ...options })
  const results = await page.evaluate<AxeResults>(`axe.run(document, ${all})`)
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(
        ({ target, html, failureSummary }) => `${id} at ${target.join(' ')}: ${html} ${failureSummary}`,
      ),
    )
}

async function overflow(page: Page): Promise<Finding[]> {
  const wide = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  return Number(wide) > 0 ? [`${String(wide)} pixels are beyond the edge`] : []
}

import { contrast } from '@rookery/mail'
import { describe, expect, test } from 'vitest'

import { backgrounds, brandColors } from './look.ts'

describe('brandColors', () => {
  test('can be read on light and dark pages, and be written on, whatever the colour', () => {
    for (const brand of ['#1f4b99', '#ffffff', '#000000', '#ffe600', '#ff0000', '#00ff88', '#777777']) {
      const { color, text } = brandColors(brand)
      const [colors, texts] = [color, text].map((pair) => pair.match(/#[0-9a-f]{6}/g) ?? [])
      for (const [n, background] of [backgrounds.light, backgrounds.dark].entries()) {
        expect(contrast(colors![n]!, background), `${brand} on ${background}`).toBeGreaterThanOrEqual(4.5)
        expect(contrast(texts![n]!, colors![n]!), `text on ${brand}`).toBeGreaterThanOrEqual(4.5)
      }
    }
  })

  test('leave a colour as it is that can be read', () => {
    expect(brandColors('#1f4b99').color).toMatch(/^light-dark\(#1f4b99, /)
  })
})

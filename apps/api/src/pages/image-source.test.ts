import { expect, test } from 'vitest'

import { imageSource } from './image-source.ts'

test('a picture’s address is one source of a policy, whatever is in it', () => {
  expect(imageSource('https://cdn.test/a/logo.png?v=2#x')).toBe('https://cdn.test/a/logo.png')
  expect(imageSource(`https://cdn.test/a;script-src *,'self'/b c.png`)).toBe(
    'https://cdn.test/a%3bscript-src%20*%2c%27self%27/b%20c.png',
  )
})

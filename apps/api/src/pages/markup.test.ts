import { describe, expect, test } from 'vitest'

import { markup } from './markup.ts'

describe('markup', () => {
  test('escapes what is filled in, in text and between quotes', () => {
    const name = `<img src=x onerror='alert("1")'> & more`
    expect(markup`<p title="${name}">${name}</p>`.text).toBe(
      '<p title="&lt;img src=x onerror=&#39;alert(&quot;1&quot;)&#39;&gt; &amp; more">' +
        '&lt;img src=x onerror=&#39;alert(&quot;1&quot;)&#39;&gt; &amp; more</p>',
    )
  })

  test('takes HTML as it is, joins lists and leaves nothing out', () => {
    const rows = ['a', '<b>'].map((text) => markup`<li>${text}</li>`)
    const list = markup`<ul>${rows}${false}${undefined}${null}${0}</ul>`
    expect(list.text).toBe('<ul><li>a</li><li>&lt;b&gt;</li>0</ul>')
  })
})

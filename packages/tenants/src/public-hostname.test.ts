import { expect, test } from 'vitest'

import { isPublicHostname } from './public-hostname.ts'

test('only domain names without port, outside the reserved top-level domains, are public', () => {
  for (const name of ['pds.acme.com', 'a.b.c.museum', 'xn--bcher-kva.xn--p1ai']) {
    expect([name, isPublicHostname(name)]).toEqual([name, true])
  }
  for (const name of [
    'localhost',
    'localhost:2583',
    'pds.acme.com:8443',
    '10.0.0.1',
    'a.test',
    'pds.local',
    '',
  ]) {
    expect([name, isPublicHostname(name)]).toEqual([name, false])
  }
})

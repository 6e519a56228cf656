import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { checkCertificate } from './check-host.ts'
import type { Finding } from './finding.ts'

/** Returns what is found at a server whose certificate is good for so many days from now. */
async function foundWith(days: number): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-certificate-'))
  await using _directory = {
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
  const [keyFile, certFile] = [join(directory, 'key'), join(directory, 'cert')]
  const made = ['-keyout', keyFile, '-out', certFile, '-days', String(days), '-subj', '/CN=localhost']
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await promisify(execFile)('openssl', ['req', '-x509', ...key, ...made])
  const server = createServer({ key: await readFile(keyFile), cert: await readFile(certFile) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const findings: Finding[] = []
  const { port } = server.address() as AddressInfo
  await checkCertificate(`https://localhost:${port}`, 'pds.test', (finding) => void findings.push(finding))
  server.close()
  return findings.map(({ severity, subject, problem }) => `${severity} ${subject}: ${problem}`)
}

test('the doctor warns of a certificate that ends within a fortnight, and of no other', async () => {
  expect(await foundWith(10)).toEqual([
    expect.stringMatching(/^warning pds.test: its certificate ends in \d days$/),
  ])
  expect(await foundWith(60)).toEqual([])
})

test('where nothing answers, the certificate is nobody’s trouble', async () => {
  const findings: Finding[] = []
  await checkCertificate('https://localhost:1', 'pds.test', (finding) => void findings.push(finding))
  expect(findings).toEqual([])
})

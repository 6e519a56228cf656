import { type IncomingHttpHeaders, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

import { createLogger } from '@rookery/telemetry'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { mailFailureOf } from './mail-failure.ts'
import { Mailer } from './mailer.ts'

type SesRequest = { path: string | undefined; headers: IncomingHttpHeaders; body: any }
type SesAnswer = { status: number; error?: string }

const requests: SesRequest[] = []
let answer: SesAnswer
const server = createServer((request, response) => {
  void json(request).then((body) => {
    requests.push({ path: `${request.method} ${request.url}`, headers: request.headers, body })
    const { status, error } = answer
    const headers = {
      'content-type': 'application/json',
      ...(error === undefined ? {} : { 'x-amzn-errortype': error }),
    }
    response.writeHead(status, headers)
    response.end(
      JSON.stringify(error === undefined ? { MessageId: '0107-id' } : { message: `because ${error}` }),
    )
  })
})
let mailer: Mailer

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = encodeURIComponent(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  mailer = new Mailer({
    log: createLogger('test', 'silent'),
    url: `ses://AKID:s%2Fcret@eu-central-1?endpoint=${endpoint}&configurationSet=bounces`,
    from: 'Rookery <noreply@example.com>',
  })
})
afterAll(() => {
  mailer[Symbol.dispose]()
  server.close()
  server.closeAllConnections()
})
beforeEach(() => {
  requests.length = 0
})

const mail = { to: 'alice@mail.example', subject: 'Grüße', text: 'text', html: '<p>html</p>' }

function send(): Promise<unknown> {
  return mailer
    .send(mail, { name: 'Tenant', address: null, replyTo: 'help@tenant.example' })
    .catch((error) => error)
}

test('the API is given the whole mail, signed, and its id is the one that bounces name', async () => {
  answer = { status: 200 }
  expect(await send()).toBe('0107-id')
  const [request] = requests
  expect(request?.path).toBe('POST /v2/email/outbound-emails')
  expect(request?.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKID\/\d+\/eu-central-1\/ses\//,
  )
  expect(request?.body).toMatchObject({
    Destination: { ToAddresses: ['alice@mail.example'] },
    ConfigurationSetName: 'bounces',
  })
  const raw = Buffer.from(request?.body.Content.Raw.Data, 'base64').toString()
  expect(raw).toContain('From: Tenant <noreply@example.com>')
  expect(raw).toContain('Reply-To: help@tenant.example')
  expect(raw).toContain('Auto-Submitted: auto-generated')
  expect(raw).toContain('text/html')
})

test.each([
  [{ status: 429, error: 'TooManyRequestsException' }, 'temporary'],
  [{ status: 500, error: 'InternalServiceErrorException' }, 'temporary'],
  [{ status: 400, error: 'SendingPausedException' }, 'temporary'],
  [{ status: 403, error: 'InvalidClientTokenId' }, 'temporary'],
  [{ status: 400, error: 'MessageRejected' }, 'permanent'],
  [{ status: 400, error: 'BadRequestException' }, 'permanent'],
])('an answer %o is asked for once and is a %s failure', async (given, failure) => {
  answer = given
  const error = await send()
  expect(error).toBeInstanceOf(Error)
  expect(mailFailureOf(error)).toBe(failure)
  expect(requests).toHaveLength(1)
})

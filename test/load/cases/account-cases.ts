import { type Account, accountOf, password, signUp } from '../fixtures/accounts.ts'
import { anonymousJsonHead, jsonBody } from '../fixtures/records.ts'
import { type BenchCase, httpCase, roundRobin } from './bench-case.ts'

/** Sign-up and sessions. */
export const accountCases: BenchCase[] = [
  httpCase({
    name: 'createAccount',
    params: { concurrency: 16 },
    isQuick: true,
    prepare: ({ fixtures }) => Promise.resolve(() => ({ request: signUp(fixtures.names.next()) })),
  }),
  httpCase({
    name: 'createSession',
    params: { accounts: 100, concurrency: 16 },
    isQuick: true,
    prepare: async ({ fixtures }) => {
      const account = roundRobin(await fixtures.accounts(100))
      return () => ({
        request: {
          method: 'POST',
          path: '/xrpc/com.atproto.server.createSession',
          head: anonymousJsonHead,
          body: jsonBody({ identifier: account().did, password }),
        },
      })
    },
  }),
  httpCase({
    name: 'refreshSession',
    params: { accounts: 16, concurrency: 16 },
    isQuick: true,
    prepare: async ({ fixtures }) => {
      const accounts = await fixtures.accounts(16)
      return (connection) => refresh(accounts[connection % accounts.length] as Account)
    },
  }),
]

/** Every refresh spends the token of the one before it. */
function refresh(account: Account) {
  return {
    request: {
      method: 'POST' as const,
      path: '/xrpc/com.atproto.server.refreshSession',
      head: `authorization: Bearer ${account.refreshJwt}\r\n`,
    },
    accept: (response: Parameters<typeof accountOf>[0]) => {
      account.refreshJwt = accountOf(response).refreshJwt
    },
  }
}

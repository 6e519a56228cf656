import {
  AppPasswordRefusedError,
  addPasskey,
  beginTotp,
  confirmTotp,
  countRecoveryCodes,
  countTrustedDevices,
  createAppPassword,
  describeTotp,
  distrustDevices,
  endSessions,
  findPendingTotp,
  listAppPasswords,
  listFactorKinds,
  listPasskeys,
  passkeyCreation,
  removePasskey,
  removeTotp,
  renewRecoveryCodes,
  revokeAppPassword,
  setEmailFactor,
} from '@rookery/accounts'
import { inTransaction } from '@rookery/db'
import { XrpcError, toXrpcError } from '@rookery/http'
import { DomainError } from '@rookery/std'
import { invalidHandle } from '@rookery/syntax'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { localeOf, mailToken } from '../accounts/account-mail.ts'
import type { SecondFactorDeps } from '../accounts/second-factor.ts'
import { auditedAnnouncer, noteSecurityEvent } from '../accounts/security-event.ts'
import { type ChallengeUse, newChallenge, passkeyHostOf, useChallenge } from './challenges.ts'
import { sendPage } from './layout.ts'
import { securityPath } from './next-page.ts'
import { authenticatorPage, secretsPage, securityPage } from './security-views.ts'
import { type SignedIn, type VisitDeps, fieldOf, formOf, signedInOf, visitOf } from './visit.ts'

export type SecurityPageDeps = VisitDeps & SecondFactorDeps

type Form = Readonly<Record<string, string | undefined>>
type Call = { request: FastifyRequest; reply: FastifyReply; who: SignedIn; form: Form }
/** Does what a form asks for; undefined unless it has answered with a page. */
type Action = (call: Call) => Promise<FastifyReply | undefined>

/** What is said of what a form did. */
const sentences = new Map([
  ['authenticator/confirm', 'The authenticator app is set up.'],
  ['authenticator/remove', 'The authenticator app is removed.'],
  ['email-codes/on', 'Codes by e-mail are on.'],
  ['email-codes/token', 'The code is on its way.'],
  ['email-codes/off', 'Codes by e-mail are off.'],
  ['passkeys/add', 'The passkey is added.'],
  ['passkeys/remove', 'The passkey is removed.'],
  ['distrust', 'A code is asked for everywhere.'],
  ['app-passwords/revoke', 'The app password is revoked.'],
])

/** Registers the page where owners change how their accounts are kept safe. */
export function registerSecurity(app: FastifyInstance, deps: SecurityPageDeps): void {
  app.get(securityPath, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const { did, done } = request.query as { did?: unknown; done?: unknown }
    const who = await signedInOf(deps, request, visit, did)
    if (who === undefined) return askSignIn(reply)
    return showSecurity(
      deps,
      { request, reply, who },
      {
        done: typeof done === 'string' ? sentences.get(done) : undefined,
      },
    )
  })
  app.get(`${securityPath}/authenticator`, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const who = await signedInOf(deps, request, visit, (request.query as { did?: unknown }).did)
    if (who?.isRecent !== true) return askSignIn(reply, who)
    return showAuthenticator(deps, { request, reply, who })
  })
  const actions = new Map(
    Object.entries({ ...passkeyActions(deps), ...factorActions(deps), ...otherActions(deps) }),
  )
  app.post<{ Params: { '*': string } }>(`${securityPath}/*`, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const form = formOf(deps, request, visit)
    const name = request.params['*']
    const action = actions.get(name)
    if (action === undefined) throw new XrpcError(404, 'NotFound', 'There is no such page')
    const who = await signedInOf(deps, request, visit, fieldOf(form, 'did'))
    if (who?.isRecent !== true) return askSignIn(reply, who)
    return act(deps, { name, action }, { request, reply, who, form })
  })
}

async function act(
  deps: SecurityPageDeps,
  { name, action }: { name: string; action: Action },
  call: Call,
): Promise<FastifyReply> {
  const { who, reply } = call
  try {
    const answered = await action(call)
    if (answered !== undefined) return answered
    return reply.redirect(
      `${securityPath}?${new URLSearchParams({ did: who.account.did, done: name }).toString()}`,
      303,
    )
  } catch (error) {
    if (!(error instanceof DomainError) || toXrpcError(error).status >= 500) throw error
    return showSecurity(deps, call, { alert: error.message })
  }
}

/** What the functions of the accounts need to tell of what they do. */
function announcer(deps: SecurityPageDeps) {
  return (request: FastifyRequest, action: string) => ({
    ...deps,
    announce: auditedAnnouncer(deps, { template: 'factors-changed', action, locale: localeOf(request) }),
  })
}

function passkeyActions(deps: SecurityPageDeps): Record<string, Action> {
  const announcing = announcer(deps)
  return {
    'passkeys/add': async ({ request, who, form }) => {
      const host = passkeyHostOf(request.pdsHost)
      await addPasskey(announcing(request, 'account.passkey.add'), host, {
        account: who.account,
        name: fieldOf(form, 'name'),
        answer: {
          credential: fieldOf(form, 'credential'),
          useChallenge: (challenge) => useChallenge(deps, creationUse(request, who), challenge),
        },
      })
      deps.wakeWorkers()
      return undefined
    },
    'passkeys/remove': async ({ request, who, form }) => {
      const announced = announcing(request, 'account.passkey.remove')
      await removePasskey(announced, who.account, fieldOf(form, 'credentialId'))
      deps.wakeWorkers()
      return undefined
    },
    distrust: async ({ who }) => {
      await distrustDevices(deps.db.pool, who.account.id)
      await noteSecurityEvent(deps.db.pool, who.account, 'account.devices.distrust')
      return undefined
    },
  }
}

function creationUse(request: FastifyRequest, { deviceId }: SignedIn): ChallengeUse {
  return { host: request.pdsHost, deviceId, purpose: 'passkey-create' }
}

function factorActions(deps: SecurityPageDeps): Record<string, Action> {
  const announcing = announcer(deps)
  return {
    'authenticator/begin': async ({ reply, who }) => {
      await beginTotp(deps, who.account)
      return reply.redirect(`${securityPath}/authenticator?did=${encodeURIComponent(who.account.did)}`, 303)
    },
    'authenticator/confirm': async ({ request, reply, who, form }) => {
      const announced = announcing(request, 'account.authenticator.add')
      const code = fieldOf(form, 'code')
      const codes = await confirmTotp(announced, who.account, code).catch((error: unknown) => {
        if (error instanceof DomainError && error.code === 'InvalidToken') return undefined
        throw error
      })
      if (codes === undefined) {
        return showAuthenticator(
          deps,
          { request, reply, who },
          'That is not the code. Wait for the next one.',
        )
      }
      deps.wakeWorkers()
      return codes.length === 0 ? undefined : showRecoveryCodes(reply, who, codes)
    },
    'authenticator/remove': async ({ request, who }) => {
      await removeTotp(announcing(request, 'account.authenticator.remove'), who.account)
      deps.wakeWorkers()
      return undefined
    },
    'email-codes/on': async ({ request, who }) => {
      const announced = announcing(request, 'account.email-codes.on')
      await setEmailFactor(announced, who.account.id, { isOn: true, token: undefined })
      deps.wakeWorkers()
      return undefined
    },
    'email-codes/token': async ({ request, who }) => {
      await mailToken(deps, who.account, 'update-email', localeOf(request))
      return undefined
    },
    'email-codes/off': async ({ request, who, form }) => {
      const announced = announcing(request, 'account.email-codes.off')
      await setEmailFactor(announced, who.account.id, { isOn: false, token: fieldOf(form, 'token') })
      deps.wakeWorkers()
      return undefined
    },
    'recovery-codes': async ({ request, reply, who }) => {
      const codes = await renewRecoveryCodes(announcing(request, 'account.recovery-codes.renew'), who.account)
      deps.wakeWorkers()
      return showRecoveryCodes(reply, who, codes)
    },
  }
}

function otherActions(deps: SecurityPageDeps): Record<string, Action> {
  return {
    'app-passwords': async ({ reply, who, form }) => {
      const { areAppPasswordsAllowed } = await deps.policyOf(who.account)
      if (!areAppPasswordsAllowed) throw new AppPasswordRefusedError('App passwords are not allowed here')
      const wanted = { name: fieldOf(form, 'name'), privileged: form['privileged'] === 'yes' }
      const { password } = await createAppPassword(deps, who.account.id, wanted)
      await noteSecurityEvent(deps.db.pool, who.account, 'account.app-password.make')
      const explanation = `Enter this in ${wanted.name} instead of your password. It is shown this once.`
      const body = secretsPage({ explanation, secrets: [password] })
      return sendPage(reply, { title: 'App password', brand: who.brand, body })
    },
    'app-passwords/revoke': async ({ who, form }) => {
      await revokeAppPassword(deps, who.account.id, fieldOf(form, 'name'))
      await noteSecurityEvent(deps.db.pool, who.account, 'account.app-password.revoke')
      return undefined
    },
    'sign-out': async ({ reply, who }) => {
      await inTransaction(deps.db.pool, async (tx) => {
        await endSessions(tx, who.account.id)
        await noteSecurityEvent(tx, who.account, 'account.sign-out-everywhere')
      })
      return askSignIn(reply, who)
    },
  }
}

async function showSecurity(
  deps: SecurityPageDeps,
  { request, reply, who }: Omit<Call, 'form'>,
  said: { done?: string | undefined; alert?: string },
): Promise<FastifyReply> {
  const { account, csrf, brand } = who
  const { pool } = deps.db
  const challenge = newChallenge(deps, creationUse(request, who))
  const [kinds, recoveryCodes, trustedDevices, passkeys, passkeyOptions, appPasswords, policy] =
    await Promise.all([
      listFactorKinds(pool, account),
      countRecoveryCodes(pool, account.id),
      countTrustedDevices(pool, account.id),
      listPasskeys(pool, account.id),
      passkeyCreation(pool, passkeyHostOf(request.pdsHost), { account, challenge }),
      listAppPasswords(deps, account.id),
      deps.policyOf(account),
    ])
  const { did, email } = account
  const body = securityPage({
    ...said,
    csrf,
    did,
    handle: account.handle ?? invalidHandle,
    email,
    isEmailConfirmed: account.email_confirmed_at !== null,
    kinds,
    recoveryCodes,
    trustedDevices,
    passkeys,
    passkeyOptions,
    appPasswords,
    areAppPasswordsAllowed: policy.areAppPasswordsAllowed,
  })
  return sendPage(
    reply,
    { title: 'Security', brand, body, hasPasskeys: true },
    said.alert === undefined ? 200 : 400,
  )
}

async function showAuthenticator(
  deps: SecurityPageDeps,
  { request, reply, who }: Omit<Call, 'form'>,
  alert?: string,
): Promise<FastifyReply> {
  const { account, csrf, brand } = who
  const secret = await findPendingTotp(deps, account)
  if (secret === undefined) return reply.redirect(securityPath, 303)
  const label = account.handle ?? account.did
  const shown = describeTotp(secret, { issuer: request.pdsHost.hostname, label })
  const body = authenticatorPage({ csrf, did: account.did, secret: shown, alert })
  return sendPage(reply, { title: 'Authenticator app', brand, body }, alert === undefined ? 200 : 400)
}

function showRecoveryCodes(reply: FastifyReply, { brand }: SignedIn, codes: string[]): FastifyReply {
  const explanation =
    'Keep these recovery codes where nobody else finds them. Each lets you in once if you have lost everything else. They are shown this once.'
  return sendPage(reply, {
    title: 'Recovery codes',
    brand,
    body: secretsPage({ explanation, secrets: codes }),
  })
}

function askSignIn(reply: FastifyReply, who?: SignedIn): FastifyReply {
  const name =
    who === undefined ? '' : `&username=${encodeURIComponent(who.account.handle ?? who.account.did)}`
  return reply.redirect(`/sign-in?next=${encodeURIComponent(securityPath)}${name}`, 303)
}

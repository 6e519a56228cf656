import type { Did } from '@atproto/oauth-provider/store'
import { XrpcError, toXrpcError } from '@rookery/http'
import { OldServerRefusedError, findMove } from '@rookery/moves'
import { Grants, type GrantsDeps } from '@rookery/oauth'
import { DomainError, must } from '@rookery/std'
import type { HostDirectory } from '@rookery/tenants'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { AccountMailDeps } from '../../accounts/account-mail.ts'
import {
  type MoveInDeps,
  type OldHome,
  findOldHome,
  finishMove,
  moveIn,
  moveInAgain,
  requestOldCode,
} from '../../accounts/move-in.ts'
import { noteSignIn } from '../../accounts/note-sign-in.ts'
import { openDomains } from '../../accounts/open-domains.ts'
import { clientKey } from '../../limits/client-key.ts'
import { accountMailCharges, mailedCodeCharges, signInCharges } from '../../limits/method-charges.ts'
import { PageRefusal, refusalOf } from '../alert.ts'
import { sendPage } from '../layout.ts'
import { type Html, markup } from '../markup.ts'
import { type OwnPageDeps, registerOwnPage } from '../own-page.ts'
import { type MigrateTexts, migrateTexts } from '../texts/migrate.ts'
import { type Visit, fieldOf, formOf, visitOf } from '../visit.ts'
import { beginView, findView, migratePaths, moveView } from './migrate-views.ts'

export type MigratePageDeps = OwnPageDeps &
  MoveInDeps &
  AccountMailDeps &
  GrantsDeps & { directory: HostDirectory }

type Form = Readonly<Record<string, string | undefined>>
type Step = { request: FastifyRequest; reply: FastifyReply; visit: Visit }

/** Registers the pages on which somebody moves an account here from another server. */
export function registerMigrate(app: FastifyInstance, deps: MigratePageDeps): void {
  app.get(migratePaths.start, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    return askName({ request, reply, visit }, { name: '' })
  })
  app.post(`${migratePaths.start}/find`, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const form = formOf(deps, request, visit)
    const step = { request, reply, visit }
    await deps.signInLimiter?.charge(request, reply, [{ bucket: 'resolve-ip', key: clientKey(request.ip) }])
    const home = await findHome(deps, step, form)
    return 'sent' in home ? home.sent : askPasswords(deps, step, { home, form: {} })
  })
  app.post(`${migratePaths.start}/begin`, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const form = formOf(deps, request, visit)
    return begin(deps, { request, reply, visit }, form)
  })
  registerArrival(app, deps)
}

async function begin(deps: MigratePageDeps, step: Step, form: Form): Promise<FastifyReply> {
  const { request, reply } = step
  const ip = clientKey(request.ip)
  // Whoever guesses passwords of another server here is as slow as with ours.
  const charges = [...signInCharges(ip, form['name']), { bucket: 'create-account-ip', key: ip } as const]
  await deps.signInLimiter?.charge(request, reply, charges)
  const home = await findHome(deps, step, form)
  if ('sent' in home) return home.sent
  try {
    const account = await moveIn(deps, request, {
      home,
      oldPassword: fieldOf(form, 'oldPassword'),
      oldCode: codeOf(form),
      handle: fieldOf(form, 'handle').trim().replace(/^@/, ''),
      email: fieldOf(form, 'email').trim(),
      password: fieldOf(form, 'password'),
      inviteCode: form['invite']?.trim(),
    })
    const visit = await visitOf(deps, request, reply, { isNew: true })
    const { locale } = visit.look
    await noteSignIn(deps, account, { deviceId: visit.deviceId, address: request.ip, locale })
    await new Grants(deps, request.pdsHost).signIn(visit.deviceId, account.did as Did, { isKept: false })
    return reply.redirect(`${migratePaths.here}?${new URLSearchParams({ did: account.did }).toString()}`, 303)
  } catch (error) {
    return askPasswords(deps, step, { home, form, alert: movingRefusalOf(error, step.visit) })
  }
}

/** The page of an account that is on its way, and deactivated until its owner takes the last step. */
function registerArrival(app: FastifyInstance, deps: MigratePageDeps): void {
  registerOwnPage(app, deps, {
    path: migratePaths.here,
    texts: migrateTexts,
    content: async ({ who }) => {
      const move = await findMove(deps.db.pool, who.account.id)
      return { body: moveView(who, move), isLive: move?.state === 'fetching' }
    },
    actions: {
      again: {
        charges: ({ request, who }) => signInCharges(clientKey(request.ip), who.account.did),
        run: async ({ request, who, form }) => {
          const home = await findOldHome(deps, request.pdsHost, who.account.did)
          const oldPassword = fieldOf(form, 'oldPassword')
          const wanted = { home, oldPassword, oldCode: codeOf(form) }
          await moveInAgain(deps, who.account, wanted).catch((error: unknown) => {
            throw isCodeWanted(error) ? new PageRefusal(who.texts.oldCodeWanted) : error
          })
        },
        done: (texts) => texts.begun,
      },
      code: {
        charges: ({ who }) => accountMailCharges('plc', who.account.did),
        run: ({ who }) => requestOldCode(deps, who.account),
        done: (texts) => texts.codeSent,
      },
      finish: {
        charges: ({ request, who }) => mailedCodeCharges(clientKey(request.ip), who.account.did),
        run: ({ request, who, form }) => finishMove(deps, request.pdsHost, who.account, form['code']?.trim()),
      },
    },
  })
}

/** Returns where the account lives, or what was sent instead: the form that asks which it is. */
async function findHome(
  deps: MigratePageDeps,
  step: Step,
  form: Form,
): Promise<OldHome | { sent: FastifyReply }> {
  const name = fieldOf(form, 'name').trim().replace(/^@/, '')
  try {
    return await findOldHome(deps, step.request.pdsHost, name)
  } catch (error) {
    return { sent: askName(step, { name, alert: movingRefusalOf(error, step.visit) }) }
  }
}

function askName({ reply, visit }: Step, view: { name: string; alert?: string | Html }): FastifyReply {
  return send(reply, visit, findView({ texts: textsOf(visit), csrf: visit.csrf, ...view }), view.alert)
}

async function askPasswords(
  deps: MigratePageDeps,
  { request, reply, visit }: Step,
  { home, form, alert }: { home: OldHome; form: Form; alert?: string | Html },
): Promise<FastifyReply> {
  const { pdsHost: host } = request
  const domains = deps.directory.listHandleDomains(host.id)
  const tenants = await Promise.all(domains.map(({ tenantId }) => deps.directory.findTenant(tenantId)))
  const view = {
    texts: textsOf(visit),
    csrf: visit.csrf,
    home,
    domains: await openDomains(deps.directory, host.id),
    isInviteAsked: tenants.some((tenant) => must(tenant).settings.inviteRequired),
    handle: form['handle'] ?? '',
    email: form['email'] ?? '',
    alert,
  }
  return send(reply, visit, beginView(view), alert)
}

function send(reply: FastifyReply, visit: Visit, body: Html, alert: string | Html | undefined): FastifyReply {
  const { title } = textsOf(visit)
  return sendPage(reply, { look: visit.look, title, body }, alert === undefined ? 200 : 400)
}

function codeOf(form: Form): string | undefined {
  const code = form['oldCode']?.trim()
  return code === '' ? undefined : code
}

function isCodeWanted(error: unknown): boolean {
  return error instanceof OldServerRefusedError && error.reason === 'AuthFactorTokenRequired'
}

function textsOf({ look }: Visit): MigrateTexts {
  return migrateTexts[look.locale]
}

/** Returns what an error of somebody's doing, or of the other server's, says; throws any other. */
function movingRefusalOf(error: unknown, visit: Visit): string | Html {
  if (isCodeWanted(error)) return textsOf(visit).oldCodeWanted
  const answer = error instanceof DomainError ? toXrpcError(error) : error
  if (answer instanceof XrpcError && answer.error === 'UpstreamFailure')
    return markup`<span lang="en">${answer.message}</span>`
  return refusalOf(error, visit.look)
}

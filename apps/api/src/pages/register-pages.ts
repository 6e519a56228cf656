import { XrpcError, toXrpcError } from '@rookery/http'
import { DomainError } from '@rookery/std'
import type { FastifyError, FastifyInstance } from 'fastify'

import { alertOf, sentenceOf } from './alert.ts'
import { sendPage } from './layout.ts'
import { lookOf } from './look.ts'
import { type AppsPageDeps, registerApps } from './apps/apps.ts'
import { type ExportPageDeps, registerExport } from './export/export.ts'
import { type LeavePageDeps, registerLeave } from './leave/leave.ts'
import { type MigratePageDeps, registerMigrate } from './migrate/migrate.ts'
import { type SessionsPageDeps, registerSessions } from './sessions/sessions.ts'
import { type SettingsPageDeps, registerSettings } from './settings/settings.ts'
import { markup } from './markup.ts'
import { type SecurityPageDeps, registerSecurity } from './security.ts'
import { type SignInPageDeps, registerSignIn } from './sign-in.ts'
import { layoutTexts } from './texts/layout.ts'

type PageDeps = SignInPageDeps &
  SecurityPageDeps &
  SettingsPageDeps &
  SessionsPageDeps &
  AppsPageDeps &
  ExportPageDeps &
  LeavePageDeps &
  MigratePageDeps

/** Longest form that is read, in bytes. */
const formBytesMax = 16_384

/** Registers the pages of ours that need forms: what they are sent, and errors, are not XRPC's. */
export function registerPages(app: FastifyInstance, deps: PageDeps): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: formBytesMax },
      (_request, body, parsed) => parsed(null, new URLSearchParams(String(body))),
    )
    scope.setErrorHandler(async (error: FastifyError, request, reply) => {
      const answer = error instanceof DomainError ? toXrpcError(error) : error
      const status = answer instanceof XrpcError ? answer.status : (error.statusCode ?? 500)
      if (status >= 500) request.log.error({ ...request.logContext, err: error }, 'a page failed')
      if (answer instanceof XrpcError) reply.headers(answer.headers ?? {})
      const look = await lookOf(deps, request, reply)
      const body = markup`${alertOf(sentenceOf(error, look))}`
      return sendPage(reply, { look, title: layoutTexts[look.locale].failed, body }, status)
    })
    registerSignIn(scope, deps)
    registerSecurity(scope, deps)
    registerSettings(scope, deps)
    registerSessions(scope, deps)
    registerApps(scope, deps)
    registerExport(scope, deps)
    registerLeave(scope, deps)
    registerMigrate(scope, deps)
    done()
  })
}

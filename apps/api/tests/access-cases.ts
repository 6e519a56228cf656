/** Who calls. All but the last two accounts are of the host that is asked. */
export const callers = [
  'nobody',
  /** An account with its own password. */
  'session',
  'appPassword',
  'privilegedAppPassword',
  /** The operator, by HTTP Basic. */
  'operator',
  /** The moderation service of the tenant, with a service token for the method. */
  'moderation',
  /** An account, with a service token for the method. */
  'service',
  /** An account that was taken down since its session began. */
  'takendown',
  /** An account that is taken down, with the limited session that it may still begin. */
  'limitedSession',
  'deactivated',
  /** An account, with its refresh token. */
  'refreshToken',
  /** An account of another host, with its session there. */
  'otherHost',
] as const

export type Caller = (typeof callers)[number]

/** How a call ends: `ok` if it gets past the checks of who calls, otherwise the name of the error. */
type Ending =
  | 'ok'
  | 'AccountDeactivated'
  | 'AccountNotFound'
  | 'AccountTakedown'
  | 'AuthenticationRequired'
  | 'AuthMissing'
  | 'BadJwtType'
  | 'InvalidToken'
  | 'UntrustedIss'

type Row = Record<Caller, Ending>

const anybody = row('ok')

const session: Row = {
  ...row('InvalidToken'),
  nobody: 'AuthMissing',
  session: 'ok',
  appPassword: 'ok',
  privilegedAppPassword: 'ok',
  takendown: 'AccountTakedown',
  deactivated: 'ok',
}

const fullSession: Row = { ...session, appPassword: 'InvalidToken', privilegedAppPassword: 'InvalidToken' }

const operator: Row = { ...row('AuthenticationRequired'), operator: 'ok' }

/** What each kind of caller is answered, by kind of method. */
export const accessOf = {
  /** Credentials are not looked at, or are no reason to refuse. */
  anybody,
  /** Public, but who names credentials must have good ones: the answer may depend on them. */
  anybodyOrOwner: {
    ...anybody,
    moderation: 'InvalidToken',
    service: 'InvalidToken',
    refreshToken: 'InvalidToken',
    otherHost: 'InvalidToken',
  },
  anybodyOrService: {
    ...row('BadJwtType'),
    nobody: 'ok',
    operator: 'AuthenticationRequired',
    moderation: 'ok',
    service: 'ok',
  },
  session,
  /** Also of an account that is taken down. */
  sessionOrTakendown: { ...session, takendown: 'ok', limitedSession: 'ok' },
  sessionOrService: { ...session, service: 'ok', moderation: 'AccountNotFound' },
  /** The limited session gets tokens for moving away only. */
  serviceToken: { ...session, takendown: 'InvalidToken' },
  fullSession,
  fullSessionOrTakendown: { ...fullSession, takendown: 'ok', limitedSession: 'ok' },
  /** Checked with the write itself. */
  writer: { ...session, deactivated: 'AccountDeactivated' },
  /** Nobody's account acts elsewhere while it is not active. */
  forwarded: { ...session, deactivated: 'AccountDeactivated' },
  refreshToken: { ...row('InvalidToken'), nobody: 'AuthMissing', refreshToken: 'ok' },
  operator,
  operatorOrModeration: {
    ...row('BadJwtType'),
    nobody: 'AuthenticationRequired',
    operator: 'ok',
    moderation: 'ok',
    service: 'UntrustedIss',
  },
} satisfies Record<string, Row>

/** The name of a row. */
export type Access = keyof typeof accessOf

function row(ending: Ending): Row {
  return Object.fromEntries(callers.map((caller) => [caller, ending])) as Row
}

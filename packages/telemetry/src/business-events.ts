import type { Logger } from './logger.ts'
import { metrics } from './metrics.ts'

/** What happens that the business wants counted, with the words of its log line: the one place that names it. */
const events = {
  accountCreated: 'an account was created',
  accountArrived: 'an account is arriving from another server',
  accountActivated: 'an account is active',
  accountDeactivated: 'an account was deactivated',
  accountSuspended: 'an account was suspended',
  accountTakenDown: 'an account was taken down',
  accountDeleted: 'an account was deleted',
  signedIn: 'somebody signed in',
  signInRefused: 'a sign-in was refused',
  passwordChanged: 'a password was changed',
  handleChanged: 'a handle was changed',
  appPasswordCreated: 'an app password was created',
  repoImported: 'a repo was imported',
  recordTakenDown: 'a record was taken down, or shown again',
  blobTakenDown: 'a blob was taken down, or shown again',
  mailBounced: 'a mail came back',
} as const

/** Name of a business event. */
export type BusinessEvent = keyof typeof events

/** The names of all business events. */
export const businessEvents = Object.keys(events) as BusinessEvent[]

metrics.add('rookery_events_total', { event: 'mailBounced' }, 0)

let log: Pick<Logger, 'info'> | undefined

/** Says where the log lines of business events go: the log of the process. Without it they are only counted. */
export function logBusinessEvents(to: Pick<Logger, 'info'>): void {
  log = to
}

/**
 * Counts something that happened, once it is committed, and writes it into the log. Never throws. Who it happened to
 * goes into `about` and so into the log alone: as labels, accounts would be without end.
 */
export function businessEvent(event: BusinessEvent, about: object = {}): void {
  metrics.add('rookery_events_total', { event })
  log?.info({ ...about, event }, events[event])
}

import {
  type CreateAccountDeps,
  InvalidEmailError,
  InvalidInviteCodeError,
  type NewIdentity,
  type PasswordHasher,
  type Session,
  SignUpClosedError,
  UnsupportedDomainError,
  assertNewPassword,
  createAccount,
  networkDevice,
  parseOwnEmail,
} from '@rookery/accounts'
import { type PdsHost, XrpcError } from '@rookery/http'
import { type IdentityResolver, type PlcIdentities, type SigningKeys, parseDidKey } from '@rookery/identity'
import { must } from '@rookery/std'
import { type Handle, parseHandle } from '@rookery/syntax'
import type { HostDirectory, Tenant } from '@rookery/tenants'

import { clientKey } from '../limits/client-key.ts'
import { assertEmailDomain } from './email-domain.ts'
import { type HandleDeps, assertOwnHandle, findOwnDomain } from './handles.ts'

export type SignUpDeps = HandleDeps &
  CreateAccountDeps & {
    directory: Pick<HostDirectory, 'findHandleDomain' | 'findHost' | 'getActiveTenant'>
    identities: Pick<IdentityResolver, 'resolveHandle' | 'forget'>
    passwords: PasswordHasher
    signingKeys: SigningKeys
    plc: PlcIdentities
    /** Wakes those who wait for events. */
    wakeSequencer: () => void
  }

/** What somebody fills in to get an account. */
export type SignUpInput = {
  handle: string
  email?: string | undefined
  password?: string | undefined
  inviteCode?: string | undefined
  /** The DID that comes along, proven by its owner. */
  did?: string | undefined
  /** Whether a captcha of the host's page was solved. */
  hasSolvedCaptcha?: boolean
  /** IP address that the account is then known to sign in from. Default none. */
  address?: string
  /** did:key of the user's own, to be the new DID's most powerful rotation key. */
  recoveryKey?: string | undefined
}

/**
 * Signs somebody up at a host: with a new did:plc, or with a DID that comes from elsewhere and whose owner has proven
 * it. The handle's domain decides the tenant; a custom handle, possible only with a DID of one's own, is the host's
 * default tenant's.
 *
 * @throws what `createAccount`, the rules of handles, e-mail and passwords, and the PLC directory throw.
 */
export async function signUp(deps: SignUpDeps, host: PdsHost, input: SignUpInput): Promise<Session> {
  if (input.password !== undefined) assertNewPassword(input.password)
  if (input.email === undefined) throw new InvalidEmailError('Email is required')
  const email = parseOwnEmail(input.email)
  const handle = parseHandle(input.handle)
  const tenant = await tenantOf(deps, host, handle, input.did)
  if (tenant.settings.signUpClosed) throw new SignUpClosedError('Nobody can sign up here')
  assertCaptcha(tenant, input)
  assertEmailDomain(tenant.settings, email)
  const inviteCode = requiredInvite(tenant, input.inviteCode)
  const identity = await newIdentity(deps, host, handle, input)
  const passwordHash = input.password === undefined ? null : await deps.passwords.hash(input.password)
  const session = await createAccount(deps, {
    host,
    tenantId: tenant.id,
    identity,
    handle,
    email,
    passwordHash,
    inviteCode,
    deviceId: input.address === undefined ? undefined : networkDevice(clientKey(input.address)),
    sessionMs: tenant.settings.passwordSessionMs,
  })
  deps.wakeSequencer()
  // Nobody can have asked for a DID that is new.
  await deps.identities.forget(input.did === undefined ? { handle } : { did: input.did, handle })
  return session
}

async function tenantOf(
  deps: SignUpDeps,
  host: PdsHost,
  handle: Handle,
  did: string | undefined,
): Promise<Tenant> {
  const domain = await findOwnDomain(deps, host, handle)
  if (domain !== undefined) return deps.directory.getActiveTenant(domain.tenantId)
  if (did === undefined) throw new UnsupportedDomainError('Not a supported handle domain')
  const { defaultTenantId: tenantId } = must(await deps.directory.findHost(host.hostname))
  await assertOwnHandle(deps, handle, { did, tenantId })
  return deps.directory.getActiveTenant(tenantId)
}

/** A captcha keeps out who makes accounts by machine: an invite code does so too, and so does a DID of one's own. */
function assertCaptcha({ settings }: Tenant, { did, hasSolvedCaptcha }: SignUpInput): void {
  if (settings.captchaSiteKey === null || settings.inviteRequired || did !== undefined) return
  if (hasSolvedCaptcha !== true) throw new SignUpClosedError('Sign up on the page of this server')
}

function requiredInvite(tenant: Tenant, inviteCode: string | undefined): string | null {
  if (!tenant.settings.inviteRequired) return null
  if (inviteCode === undefined || inviteCode === '')
    throw new InvalidInviteCodeError('No invite code provided')
  return inviteCode
}

async function newIdentity(
  deps: SignUpDeps,
  host: PdsHost,
  handle: Handle,
  input: SignUpInput,
): Promise<NewIdentity> {
  if (input.did !== undefined) {
    const { did } = input
    const key = await deps.signingKeys.takeReserved({ hostId: host.id, did })
    return { did, signer: key.signer, storeSigningKey: (tx, id) => key.store(tx, { id, did }) }
  }
  if (input.recoveryKey !== undefined) assertDidKey(input.recoveryKey)
  const key = deps.signingKeys.create()
  const wanted = { handle, signingKey: key.signer.didKey, pdsUrl: host.publicUrl }
  const { did, register, tombstone } = await deps.plc.mint(wanted, input.recoveryKey)
  return {
    did,
    signer: key.signer,
    storeSigningKey: (tx, id) => key.store(tx, { id, did }),
    register,
    unregister: tombstone,
  }
}

function assertDidKey(recoveryKey: string): void {
  try {
    parseDidKey(recoveryKey)
  } catch (error) {
    throw new XrpcError(400, 'InvalidRequest', 'recoveryKey must be a did:key', { cause: error })
  }
}

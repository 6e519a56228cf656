import { DomainError } from '@rookery/std'

/** Is thrown for a tenant, host or handle domain that is not there. */
export class TenancyNotFoundError extends DomainError {
  override readonly name = 'TenancyNotFoundError'
  readonly code = 'TenancyNotFound'
}

/** Is thrown for a slug, hostname or domain that is taken. */
export class TenancyConflictError extends DomainError {
  override readonly name = 'TenancyConflictError'
  readonly code = 'TenancyConflict'
}

/** Is thrown for a slug, hostname, domain or setting that is malformed. */
export class InvalidTenancyError extends DomainError {
  override readonly name = 'InvalidTenancyError'
  readonly code = 'InvalidTenancy'
}

/** Is thrown when somebody acts for an account whose tenant the provider has suspended. */
export class TenantSuspendedError extends DomainError {
  override readonly name = 'TenantSuspendedError'
  readonly code = 'TenantSuspended'
}

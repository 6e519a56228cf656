import { DomainError } from '@rookery/std'

/** Is thrown for a mail job whose template this version does not have. */
export class UnknownTemplateError extends DomainError {
  override readonly name = 'UnknownTemplateError'
  readonly code = 'UnknownTemplate'
}

/** Is thrown at start for a mail URL or sender that can't be used. */
export class InvalidMailSettingsError extends DomainError {
  override readonly name = 'InvalidMailSettingsError'
  readonly code = 'InvalidMailSettings'
}

/** Is thrown when an address, or a tenant, has been mailed as often as it may be within an hour. */
export class MailLimitError extends DomainError {
  override readonly name = 'MailLimitError'
  readonly code = 'MailLimitExceeded'

  constructor() {
    super('Too many mails were asked for, please try again later')
  }
}

/** Is thrown for a message that is empty or too long. */
export class InvalidMessageError extends DomainError {
  override readonly name = 'InvalidMessageError'
  readonly code = 'InvalidMessage'
}

/** Is thrown for a bounce of a mail that the host did not send, or no longer knows. */
export class DeliveryNotFoundError extends DomainError {
  override readonly name = 'DeliveryNotFoundError'
  readonly code = 'DeliveryNotFound'
}

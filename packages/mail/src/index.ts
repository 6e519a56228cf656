export {
  DeliveryNotFoundError,
  InvalidMailSettingsError,
  InvalidMessageError,
  MailLimitError,
  UnknownTemplateError,
} from './errors.ts'
export { type DeliverMailDeps, deliverMail } from './delivery/deliver-mail.ts'
export {
  type DeliveryFilter,
  type DeliveryRow,
  type DeliveryState,
  type SuppressionRow,
  deliveryStates,
} from './delivery/delivery-queries.ts'
export {
  type Bounce,
  dropOldDeliveries,
  listDeliveries,
  listSuppressed,
  recordBounce,
  retryFailed,
  unsuppress,
} from './delivery/operator.ts'
export { answerPasswordReset, requestPasswordReset } from './requests/password-reset.ts'
export {
  type RequestMailDeps,
  requestMessage,
  requestNotice,
  requestTokenMail,
} from './requests/request-mail.ts'
export { contrast, readableOn, textOn } from './templates/colors.ts'
export { chooseLocale } from './templates/messages.ts'
export {
  type NoticeTemplate,
  type TemplateName,
  type TokenTemplate,
  templateNames,
} from './templates/names.ts'
export { sampleMail } from './templates/sample-mail.ts'
export { type MailContent, type MailContext, renderMail } from './templates/render-mail.ts'
export { type Mail, Mailer, type MailerOptions, type Sender } from './transport/mailer.ts'

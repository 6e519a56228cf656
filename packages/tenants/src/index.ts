export { captchaOwner, findCaptchaSecret, setCaptchaSecret } from './captcha-secret-queries.ts'
export { setHandleDomains } from './set-handle-domains.ts'
export {
  InvalidTenancyError,
  TenancyConflictError,
  TenancyNotFoundError,
  TenantSuspendedError,
} from './errors.ts'
export { HostDirectory, directoryRefreshMs } from './host-directory.ts'
export { countAccountsUnderDomain, removeHandleDomain } from './handle-domain-queries.ts'
export { isPublicHostname } from './public-hostname.ts'
export {
  type Locale,
  type TenantSettings,
  type TenantSettingsInput,
  locales,
  tenantSettings,
} from './settings.ts'
export {
  type HandleDomain,
  type Host,
  type Tenant,
  addHandleDomain,
  createHost,
  createTenant,
  getHost,
  getTenant,
  listHandleDomains,
  listHosts,
  listTenants,
  updateHost,
  updateTenant,
} from './tenancy.ts'
export { uploadBytesMaxOf, uploadRulesOf } from './upload-rules.ts'

export { toOAuthAccount } from './account.ts'
export { deleteExpiredOAuth } from './clean-up-queries.ts'
export { Grants, type GrantsDeps } from './grant-queries.ts'
export { accessTokenMs, providersMax } from './limits.ts'
export type { FindLexicon } from './permission-sets.ts'
export type { LifetimesOf } from './session-lifetimes.ts'
export { answerPrompt, findPushedParameters } from './request-queries.ts'
export {
  type BrowserHooks,
  type Captcha,
  type OAuthHost,
  type OAuthProviderDeps,
  createOAuthProvider,
} from './provider.ts'

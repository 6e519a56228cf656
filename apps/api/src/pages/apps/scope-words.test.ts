import { expect, test } from 'vitest'

import { appsTexts } from '../texts/apps.ts'
import { scopeInWords } from './scope-words.ts'

test.each([
  ['atproto', 'know which account is yours'],
  ['transition:generic', 'do almost everything that you can do in an app: read, write and delete'],
  ['repo:*', 'create, change, delete any records'],
  ['repo:app.bsky.feed.post?action=create', 'create app.bsky.feed.post'],
  ['rpc:app.bsky.feed.getTimeline?aud=*', 'call these methods of any service: app.bsky.feed.getTimeline'],
  ['rpc:*?aud=did:web:api.test%23bsky', 'call any method of did:web:api.test#bsky'],
  ['blob:image/*', 'upload files of these types: image/*'],
  ['account:email?action=manage', 'see and change your e-mail address'],
  ['account:status', 'see whether your account is active'],
  ['identity:*', 'change your identity: your handle, your keys, and where your account lives'],
  ['include:com.example.basics', 'what this set of permissions says: com.example.basics'],
  ['constructor', 'something that this page has no words for: constructor'],
])('the scope %s lets an app %s', (scope, words) => {
  expect(scopeInWords(scope, appsTexts.en.scopes)).toBe(words)
})

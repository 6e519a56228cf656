import { hash } from 'node:crypto'

import { locales } from '@rookery/tenants'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { localApp } from './oauth-flow.ts'
import { PageBrowser } from './page-browser.ts'
import { TestApi } from './test-api.ts'

let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

const signIn = { en: 'Sign in', de: 'Anmelden', fr: 'Se connecter', es: 'Iniciar sesión', ja: 'サインイン' }

async function opened(url: string, headers: Record<string, string> = {}, browser = new PageBrowser(api)) {
  return browser.inject({ method: 'GET', url, headers })
}

function languageOf(body: string): string | undefined {
  return /<html lang="([^"]*)">/.exec(body)?.[1]
}

describe('the face of the tenant', () => {
  test('is on every page: name, logo, colour and links, and the policy lets just that in', async () => {
    await api.set('two', {
      brandColor: '#ffe600',
      logoUrl: 'https://cdn.test/logo.png?v=2',
      termsOfServiceUrl: 'https://two.example/terms',
      privacyPolicyUrl: 'https://two.example/privacy',
      supportUrl: 'https://two.example/help',
    })
    for (const url of ['/', '/sign-in', '/security/nothing']) {
      const browser = new PageBrowser(api, 'two.test')
      const { body, headers } = url.endsWith('nothing')
        ? await browser.post(url, {})
        : await opened(url, {}, browser)
      const css = /<style>(.*)<\/style>/s.exec(body)?.[1] ?? ''
      expect(css, url).toContain('#ffe600')
      expect(headers['content-security-policy']).toContain(
        `style-src 'sha256-${hash('sha256', css, 'base64')}';`,
      )
      expect(headers['content-security-policy']).toContain('img-src data: https://cdn.test/logo.png;')
      expect(body).toMatch(/<img\s+class="logo"\s+src="https:\/\/cdn.test\/logo.png\?v=2"\s+alt="Tenant two"/)
      for (const page of ['terms', 'privacy', 'help']) {
        expect(body).toContain(`href="https://two.example/${page}"`)
      }
    }
    expect((await opened('/sign-in')).body).not.toContain('two.example')
  })
})

describe('the language of a page', () => {
  test('is one of five that the browser prefers', async () => {
    for (const locale of locales) {
      const { body, headers } = await opened('/sign-in', {
        'accept-language': `xx, ${locale};q=0.9, en;q=0.1`,
      })
      expect(languageOf(body)).toBe(locale)
      expect(headers['content-language']).toBe(locale)
      expect(body).toContain(`<h1>${signIn[locale]}</h1>`)
      const home = await opened('/', { 'accept-language': locale })
      expect(languageOf(home.body)).toBe(locale)
    }
  })

  test('is the tenant’s for who wants none of them', async () => {
    await api.set('two', { defaultLocale: 'ja' })
    const { body } = await opened('/sign-in', { 'accept-language': 'xx' }, new PageBrowser(api, 'two.test'))
    expect(languageOf(body)).toBe('ja')
    const german = await opened('/sign-in', { 'accept-language': 'de-AT' }, new PageBrowser(api, 'two.test'))
    expect(languageOf(german.body)).toBe('de')
  })

  test('is what the app asked for, until the browser is closed, also of what went wrong', async () => {
    const owner = await api.signUp('spoken')
    const { pathname, search } = await localApp(api, 'atproto').authorize(owner.handle, {
      ui_locales: 'xx fr-CA en',
    })
    const browser = new PageBrowser(api)
    await browser.open(pathname + search)
    expect(languageOf(browser.page.body)).toBe('fr')
    await browser.submit('/sign-in', { username: owner.handle, password: 'wrong-pass' })
    expect(languageOf(browser.page.body)).toBe('fr')
    expect(browser.page.body).toContain('Identifiant ou mot de passe incorrect')
    await browser.signIn(owner.handle, 'spoken-pass')
    expect(browser.page.body).toContain('<h1>Sécurité</h1>')
    const forged = await browser.post('/security/sign-out', {})
    expect(forged).toMatchObject({ status: 403, body: expect.stringContaining('Ce formulaire') })
  })
})

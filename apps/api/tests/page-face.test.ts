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

/** What each page of an account's owner is called. */
const headings = {
  '/security': { en: 'Security', de: 'Sicherheit', fr: 'Sécurité', es: 'Seguridad', ja: 'セキュリティ' },
  '/settings': {
    en: 'E-mail, password, handle',
    de: 'E-Mail, Passwort, Handle',
    fr: 'E-mail, mot de passe, identifiant',
    es: 'Correo, contraseña, identificador',
    ja: 'メール・パスワード・ハンドル',
  },
  '/sessions': { en: 'Sessions', de: 'Sitzungen', fr: 'Sessions', es: 'Sesiones', ja: 'セッション' },
  '/apps': { en: 'Apps', de: 'Apps', fr: 'Applications', es: 'Aplicaciones', ja: 'アプリ' },
  '/export': { en: 'Export', de: 'Export', fr: 'Export', es: 'Exportar', ja: 'エクスポート' },
  '/leave': {
    en: 'Deactivate or delete',
    de: 'Deaktivieren oder löschen',
    fr: 'Désactiver ou supprimer',
    es: 'Desactivar o eliminar',
    ja: '無効化・削除',
  },
  ...movePages(),
}

function movePages() {
  const heading = {
    en: 'Move your account here',
    de: 'Mit dem Konto hierher umziehen',
    fr: 'Transférer votre compte ici',
    es: 'Trasladar su cuenta aquí',
    ja: 'アカウントをここへ移転',
  }
  return { '/migrate': heading, '/migrate/here': heading }
}

/** What more than one language says in the same words. */
const sameInSeveral = new Set(['Apps', 'Export', 'Sessions', 'Passkeys', 'Handle', 'page browser'])

/** What a page says in a language: neither what its owner wrote nor addresses. */
function wordsOf(body: string): Set<string> {
  const main = /<main>(.*)<\/main>/s.exec(body)![1]!
  const texts = main
    .replaceAll(/<(code|strong|time)\b.*?<\/\1>/gs, ' ')
    .split(/<[^>]*>/)
    .map((text) => text.trim())
  return new Set(texts.filter((text) => /\p{L}{3}/u.test(text)))
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

  test('is that of every page of an account’s owner, and of all that it says', async () => {
    const owner = await api.signUp('polyglot')
    const browser = new PageBrowser(api)
    await browser.signIn(owner.handle, 'polyglot-pass')
    for (const [url, heading] of Object.entries(headings)) {
      const said = new Map<string, string[]>()
      for (const locale of locales) {
        const { status, body, headers } = await opened(url, { 'accept-language': locale }, browser)
        const answer = [url, status, languageOf(body), headers['content-language']]
        expect(answer).toEqual([url, 200, locale, locale])
        expect(body).toContain(`<h1>${heading[locale]}</h1>`)
        for (const words of wordsOf(body)) said.set(words, [...(said.get(words) ?? []), locale])
      }
      const repeated = [...said].filter(([words, by]) => by.length > 1 && !sameInSeveral.has(words))
      expect(repeated, url).toEqual([])
    }
  })

  test('is that of what a page says was done, or refuses', async () => {
    const owner = await api.signUp('refused')
    const browser = new PageBrowser(api)
    await browser.signIn(owner.handle, 'refused-pass', '/settings')
    const mark = browser.hiddenFields('/settings/password')
    const inFrench = (url: string, fields: Record<string, string> = {}) =>
      browser.post(url, { ...mark, ...fields }, { 'accept-language': 'fr' })
    const passwords = { current: 'refused-pass', password: 'another-pass' }
    for (const [url, fields, sentence] of [
      [
        '/settings/password',
        { ...passwords, repeat: 'other-pass' },
        'Les deux nouveaux mots de passe ne sont pas identiques.',
      ],
      [
        '/settings/password',
        { ...passwords, current: 'wrong', repeat: 'another-pass' },
        'Le mot de passe est incorrect.',
      ],
      ['/settings/handle', { handle: 'x.one.test' }, 'Cet identifiant ne peut pas être utilisé ici.'],
      ['/settings/handle', {}, 'Il manque quelque chose, ou une saisie n’est pas valable.'],
      ['/export/delete', {}, 'Il n’y a pas d’archive.'],
      ['/leave/delete', { token: 'AAAAA-AAAAA', password: 'wrong' }, 'Le mot de passe est incorrect.'],
      ['/migrate/find', { name: owner.did }, 'Ce compte est déjà ici.'],
      ['/migrate/find', { name: 'nobody.open.test' }, 'Personne n’a cet identifiant.'],
    ] as const) {
      const { status, body } = await inFrench(url, fields)
      expect([url, status, languageOf(body)]).toEqual([url, 400, 'fr'])
      expect(/role="alert">([^<]*)</.exec(body)?.[1], url).toBe(sentence)
    }
    const { location } = (await inFrench('/export/ask')).headers
    const asked = await opened(String(location), { 'accept-language': 'fr' }, browser)
    expect(asked.body).toContain('role="status">Votre archive est en cours de création.')
    const changed = await inFrench('/settings/password', { ...passwords, repeat: 'another-pass' })
    expect(changed).toMatchObject({
      status: 200,
      body: expect.stringContaining('Vous êtes déconnecté partout.'),
    })
    expect(languageOf(changed.body)).toBe('fr')
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

describe('the way to the pages that move an account here', () => {
  test('is on the first page and the sign-in page while somebody may sign up, and leads back', async () => {
    const browser = new PageBrowser(api, 'two.test')
    const linked = async () =>
      Promise.all(
        ['/', '/sign-in'].map(async (url) => (await browser.open(url)).body.includes('href="/migrate"')),
      )
    expect(await linked()).toEqual([true, true])
    const { body } = await browser.open('/migrate')
    expect(body).toContain('<a href="/">')
    expect(body).toContain('<a href="/sign-in">')
    await api.set('two', { signUpClosed: true })
    expect(await linked()).toEqual([false, false])
    await api.set('two', { signUpClosed: false })
  })
})

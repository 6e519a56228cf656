import type { Locale } from '@rookery/tenants'

import { de } from './security-de.ts'
import { en } from './security-en.ts'
import { es } from './security-es.ts'
import { fr } from './security-fr.ts'
import { ja } from './security-ja.ts'

/** What the security page says. */
export type SecurityTexts = typeof en

/** What the security page says, in every language. */
export const securityTexts: Readonly<Record<Locale, SecurityTexts>> = { en, de, fr, es, ja }

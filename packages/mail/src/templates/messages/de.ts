import type { Messages } from '../messages.ts'

const good = 'Der Code gilt {duration}.'
const notYou = 'Falls Sie das nicht waren, geben Sie den Code nicht weiter und ändern Sie Ihr Passwort.'

/** German. */
export const de: Messages = {
  direction: 'ltr',
  subjects: {
    'confirm-email': 'Bestätigen Sie Ihre E-Mail-Adresse',
    'update-email': 'E-Mail-Adresse Ihres Kontos ändern',
    'reset-password': 'Passwort zurücksetzen',
    'delete-account': 'Konto löschen',
    'plc-operation': 'Identität Ihres Kontos ändern',
    'sign-in': 'Ihr Code zum Anmelden',
    'password-changed': 'Ihr Passwort wurde geändert',
    'email-changed': 'Die E-Mail-Adresse Ihres Kontos wurde geändert',
    'factors-changed': 'Ihre zweiten Faktoren wurden geändert',
    'new-device': 'Neue Anmeldung bei Ihrem Konto',
    'export-ready': 'Ihr Archiv ist fertig',
    'account-deleted': 'Ihr Konto wurde gelöscht',
    message: 'Eine Nachricht zu Ihrem Konto',
  },
  requests: {
    'confirm-email':
      'Um zu bestätigen, dass dies die Adresse des Kontos {account} bei {brand} ist, geben Sie diesen Code ein:',
    'update-email':
      'Jemand möchte die E-Mail-Adresse des Kontos {account} bei {brand} ändern. Geben Sie zur Bestätigung diesen Code ein:',
    'reset-password':
      'Jemand möchte das Passwort des Kontos {account} bei {brand} zurücksetzen. Um ein neues zu wählen, geben Sie diesen Code ein:',
    'delete-account':
      'Jemand möchte das Konto {account} bei {brand} löschen. Geben Sie zur Bestätigung diesen Code ein:',
    'plc-operation':
      'Jemand möchte die Identität des Kontos {account} bei {brand} ändern, etwa um damit zu einem anderen Anbieter umzuziehen. Geben Sie zur Bestätigung diesen Code ein:',
    'sign-in':
      'Jemand meldet sich mit dem Passwort beim Konto {account} bei {brand} an. Geben Sie zum Abschluss diesen Code ein:',
  },
  advice: {
    'confirm-email': [good, 'Falls Sie kein solches Konto haben, müssen Sie nichts tun.'],
    'update-email': [good, notYou],
    'reset-password': [
      good,
      'Falls Sie das nicht waren, müssen Sie nichts tun: Ihr Passwort bleibt, wie es ist.',
    ],
    'delete-account': [`${good} Das Löschen lässt sich nicht rückgängig machen.`, notYou],
    'plc-operation': [`${good} Wer ihn kennt, kann das Konto übernehmen.`, notYou],
    'sign-in': [
      good,
      'Falls Sie das nicht waren, kennt jemand Ihr Passwort: Geben Sie den Code nicht weiter und ändern Sie jetzt Ihr Passwort.',
    ],
  },
  notices: {
    'password-changed': [
      'Das Passwort des Kontos {account} bei {brand} wurde geändert, und alle Sitzungen wurden abgemeldet.',
      'Falls Sie das nicht waren, setzen Sie Ihr Passwort jetzt zurück und bitten Sie uns um Hilfe.',
    ],
    'email-changed': [
      'Das Konto {account} bei {brand} hat nun eine andere E-Mail-Adresse. Nachrichten dazu gehen nicht mehr an diese.',
      'Falls Sie das nicht waren, bitten Sie uns sofort um Hilfe.',
    ],
    'factors-changed': [
      'Was das Konto {account} bei {brand} neben dem Passwort verlangt, wurde geändert: eine Authenticator-App, ein Passkey, Codes per E-Mail oder Wiederherstellungscodes.',
      'Falls Sie das nicht waren, setzen Sie jetzt Ihr Passwort zurück und bitten Sie uns um Hilfe.',
    ],
    'new-device': [
      'Jemand hat sich beim Konto {account} bei {brand} mit einem Browser oder aus einem Netz angemeldet, die dafür bisher nicht benutzt wurden.',
      'Falls Sie das waren, müssen Sie nichts tun. Falls nicht, setzen Sie jetzt Ihr Passwort zurück: Das meldet alle ab.',
    ],
    'export-ready': [
      'Das Archiv des Kontos {account} bei {brand}, das angefordert wurde, ist fertig: Beiträge, Bilder und andere Dateien, Einstellungen. Um es herunterzuladen, melden Sie sich an und öffnen Sie die Seite „Export“. Nach einigen Tagen wird es gelöscht.',
      'Falls Sie das nicht waren, löschen Sie es dort, setzen Sie jetzt Ihr Passwort zurück und bitten Sie uns um Hilfe.',
    ],
    'account-deleted': [
      'Das Konto {account} bei {brand} wurde gelöscht. Was es hier veröffentlicht hat, wird entfernt.',
      'Falls Sie das nicht waren, bitten Sie uns um Hilfe.',
    ],
  },
  footer: {
    reason: 'Sie erhalten diese Nachricht, weil {address} die Adresse des Kontos {account} bei {brand} ist.',
    support: 'Hilfe',
    contact: 'Kontakt',
  },
}

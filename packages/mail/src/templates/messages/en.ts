import type { Messages } from '../messages.ts'

const good = 'The code is good for {duration}.'
const notYou = 'If it was not you, do not share the code, and change your password.'

/** English. */
export const en: Messages = {
  direction: 'ltr',
  subjects: {
    'confirm-email': 'Confirm your e-mail address',
    'update-email': 'Change the e-mail address of your account',
    'reset-password': 'Reset your password',
    'delete-account': 'Delete your account',
    'plc-operation': 'Change the identity of your account',
    'sign-in': 'Your code to sign in',
    'password-changed': 'Your password was changed',
    'email-changed': 'The e-mail address of your account was changed',
    'factors-changed': 'Your second factors were changed',
    'new-device': 'A new sign-in to your account',
    'export-ready': 'Your archive is ready',
    'account-deleted': 'Your account was deleted',
    message: 'A message about your account',
  },
  requests: {
    'confirm-email':
      'To confirm that this is the address of the account {account} at {brand}, enter this code:',
    'update-email':
      'Somebody asked to change the e-mail address of the account {account} at {brand}. To confirm, enter this code:',
    'reset-password':
      'Somebody asked to reset the password of the account {account} at {brand}. To choose a new one, enter this code:',
    'delete-account':
      'Somebody asked to delete the account {account} at {brand}. To confirm, enter this code:',
    'plc-operation':
      'Somebody asked to change the identity of the account {account} at {brand}, for example to move it to another provider. To confirm, enter this code:',
    'sign-in':
      'Somebody is signing in to the account {account} at {brand} with its password. To finish, enter this code:',
  },
  advice: {
    'confirm-email': [good, 'If you have no such account, you need not do anything.'],
    'update-email': [good, notYou],
    'reset-password': [good, 'If it was not you, you need not do anything: your password stays as it is.'],
    'delete-account': [`${good} Deleting cannot be undone.`, notYou],
    'plc-operation': [`${good} Whoever has it can take the account over.`, notYou],
    'sign-in': [
      good,
      'If it was not you, somebody knows your password: do not share the code, and change your password now.',
    ],
  },
  notices: {
    'password-changed': [
      'The password of the account {account} at {brand} was changed, and every session was signed out.',
      'If it was not you, reset your password now and ask us for help.',
    ],
    'email-changed': [
      'The account {account} at {brand} has another e-mail address now. Mail about it no longer goes to this one.',
      'If it was not you, ask us for help at once.',
    ],
    'factors-changed': [
      'What the account {account} at {brand} asks for besides its password was changed: an authenticator app, a passkey, codes by e-mail or recovery codes.',
      'If it was not you, reset your password now and ask us for help.',
    ],
    'new-device': [
      'Somebody signed in to the account {account} at {brand} with a browser, or from a network, that was not used for it before.',
      'If it was you, you need not do anything. If it was not, reset your password now: that signs everybody out.',
    ],
    'export-ready': [
      'The archive of the account {account} at {brand} that was asked for is ready: records, pictures and other files, and settings. To download it, sign in and open the page “Export”. It is deleted after some days.',
      'If it was not you, delete it there, reset your password now and ask us for help.',
    ],
    'account-deleted': [
      'The account {account} at {brand} was deleted, and what it published here is being removed.',
      'If it was not you, ask us for help.',
    ],
  },
  footer: {
    reason: 'You get this mail because {address} is the address of the account {account} at {brand}.',
    support: 'Help',
    contact: 'Contact',
  },
}

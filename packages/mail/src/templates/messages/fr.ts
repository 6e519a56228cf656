import type { Messages } from '../messages.ts'

const good = 'Le code est valable {duration}.'
const notYou = 'Si ce n’était pas vous, ne communiquez ce code à personne et changez votre mot de passe.'

/** French. */
export const fr: Messages = {
  direction: 'ltr',
  subjects: {
    'confirm-email': 'Confirmez votre adresse e-mail',
    'update-email': 'Changer l’adresse e-mail de votre compte',
    'reset-password': 'Réinitialiser votre mot de passe',
    'delete-account': 'Supprimer votre compte',
    'plc-operation': 'Changer l’identité de votre compte',
    'sign-in': 'Votre code de connexion',
    'password-changed': 'Votre mot de passe a été changé',
    'email-changed': 'L’adresse e-mail de votre compte a été changée',
    'factors-changed': 'Vos seconds facteurs ont été modifiés',
    'new-device': 'Nouvelle connexion à votre compte',
    'export-ready': 'Votre archive est prête',
    'account-deleted': 'Votre compte a été supprimé',
    message: 'Un message au sujet de votre compte',
  },
  requests: {
    'confirm-email':
      'Pour confirmer que ceci est l’adresse du compte {account} chez {brand}, saisissez ce code :',
    'update-email':
      'Quelqu’un a demandé à changer l’adresse e-mail du compte {account} chez {brand}. Pour confirmer, saisissez ce code :',
    'reset-password':
      'Quelqu’un a demandé à réinitialiser le mot de passe du compte {account} chez {brand}. Pour en choisir un nouveau, saisissez ce code :',
    'delete-account':
      'Quelqu’un a demandé à supprimer le compte {account} chez {brand}. Pour confirmer, saisissez ce code :',
    'plc-operation':
      'Quelqu’un a demandé à changer l’identité du compte {account} chez {brand}, par exemple pour le transférer vers un autre fournisseur. Pour confirmer, saisissez ce code :',
    'sign-in':
      'Quelqu’un se connecte au compte {account} chez {brand} avec son mot de passe. Pour terminer, saisissez ce code :',
  },
  advice: {
    'confirm-email': [good, 'Si vous n’avez pas de tel compte, vous n’avez rien à faire.'],
    'update-email': [good, notYou],
    'reset-password': [
      good,
      'Si ce n’était pas vous, vous n’avez rien à faire : votre mot de passe reste inchangé.',
    ],
    'delete-account': [`${good} La suppression est définitive.`, notYou],
    'plc-operation': [`${good} Quiconque le possède peut prendre le contrôle du compte.`, notYou],
    'sign-in': [
      good,
      'Si ce n’est pas vous, quelqu’un connaît votre mot de passe : ne communiquez pas le code et changez votre mot de passe maintenant.',
    ],
  },
  notices: {
    'password-changed': [
      'Le mot de passe du compte {account} chez {brand} a été changé et toutes les sessions ont été fermées.',
      'Si ce n’était pas vous, réinitialisez votre mot de passe maintenant et demandez-nous de l’aide.',
    ],
    'email-changed': [
      'Le compte {account} chez {brand} a désormais une autre adresse e-mail. Les messages à son sujet n’arriveront plus à celle-ci.',
      'Si ce n’était pas vous, demandez-nous de l’aide sans attendre.',
    ],
    'factors-changed': [
      'Ce que le compte {account} chez {brand} demande en plus du mot de passe a été modifié : une application d’authentification, une clé d’accès, des codes par e-mail ou des codes de secours.',
      'Si ce n’est pas vous, réinitialisez votre mot de passe maintenant et demandez-nous de l’aide.',
    ],
    'new-device': [
      'Quelqu’un s’est connecté au compte {account} chez {brand} avec un navigateur, ou depuis un réseau, qui n’avait pas encore servi pour ce compte.',
      'Si c’était vous, vous n’avez rien à faire. Sinon, réinitialisez votre mot de passe maintenant : cela déconnecte tout le monde.',
    ],
    'export-ready': [
      'L’archive du compte {account} chez {brand} qui a été demandée est prête : publications, images et autres fichiers, réglages. Pour la télécharger, connectez-vous et ouvrez la page « Export ». Elle sera supprimée au bout de quelques jours.',
      'Si ce n’était pas vous, supprimez-la sur cette page, réinitialisez votre mot de passe maintenant et demandez-nous de l’aide.',
    ],
    'account-deleted': [
      'Le compte {account} chez {brand} a été supprimé ; ce qu’il a publié ici est en cours de retrait.',
      'Si ce n’était pas vous, demandez-nous de l’aide.',
    ],
  },
  footer: {
    reason: 'Vous recevez ce message parce que {address} est l’adresse du compte {account} chez {brand}.',
    support: 'Aide',
    contact: 'Contact',
  },
}

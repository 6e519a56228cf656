import type { Messages } from '../messages.ts'

const good = 'El código es válido durante {duration}.'
const notYou = 'Si no ha sido usted, no comparta el código y cambie su contraseña.'

/** Spanish. */
export const es: Messages = {
  direction: 'ltr',
  subjects: {
    'confirm-email': 'Confirme su dirección de correo',
    'update-email': 'Cambiar la dirección de correo de su cuenta',
    'reset-password': 'Restablecer su contraseña',
    'delete-account': 'Eliminar su cuenta',
    'plc-operation': 'Cambiar la identidad de su cuenta',
    'sign-in': 'Su código para iniciar sesión',
    'password-changed': 'Su contraseña ha cambiado',
    'email-changed': 'La dirección de correo de su cuenta ha cambiado',
    'factors-changed': 'Sus segundos factores han cambiado',
    'new-device': 'Nuevo inicio de sesión en su cuenta',
    'export-ready': 'Su archivo está listo',
    'account-deleted': 'Su cuenta ha sido eliminada',
    message: 'Un mensaje sobre su cuenta',
  },
  requests: {
    'confirm-email':
      'Para confirmar que esta es la dirección de la cuenta {account} en {brand}, introduzca este código:',
    'update-email':
      'Alguien ha pedido cambiar la dirección de correo de la cuenta {account} en {brand}. Para confirmarlo, introduzca este código:',
    'reset-password':
      'Alguien ha pedido restablecer la contraseña de la cuenta {account} en {brand}. Para elegir una nueva, introduzca este código:',
    'delete-account':
      'Alguien ha pedido eliminar la cuenta {account} en {brand}. Para confirmarlo, introduzca este código:',
    'plc-operation':
      'Alguien ha pedido cambiar la identidad de la cuenta {account} en {brand}, por ejemplo para trasladarla a otro proveedor. Para confirmarlo, introduzca este código:',
    'sign-in':
      'Alguien está iniciando sesión en la cuenta {account} de {brand} con su contraseña. Para terminar, introduzca este código:',
  },
  advice: {
    'confirm-email': [good, 'Si no tiene esa cuenta, no tiene que hacer nada.'],
    'update-email': [good, notYou],
    'reset-password': [good, 'Si no ha sido usted, no tiene que hacer nada: su contraseña seguirá igual.'],
    'delete-account': [`${good} La eliminación no se puede deshacer.`, notYou],
    'plc-operation': [`${good} Quien lo tenga puede hacerse con la cuenta.`, notYou],
    'sign-in': [
      good,
      'Si no ha sido usted, alguien conoce su contraseña: no comparta el código y cambie su contraseña ahora.',
    ],
  },
  notices: {
    'password-changed': [
      'La contraseña de la cuenta {account} en {brand} ha cambiado y se han cerrado todas las sesiones.',
      'Si no ha sido usted, restablezca ahora su contraseña y pídanos ayuda.',
    ],
    'email-changed': [
      'La cuenta {account} en {brand} tiene ahora otra dirección de correo. Los mensajes sobre ella ya no llegarán a esta.',
      'Si no ha sido usted, pídanos ayuda de inmediato.',
    ],
    'factors-changed': [
      'Lo que la cuenta {account} de {brand} pide además de la contraseña ha cambiado: una aplicación de autenticación, una clave de acceso, códigos por correo electrónico o códigos de recuperación.',
      'Si no ha sido usted, restablezca su contraseña ahora y pídanos ayuda.',
    ],
    'new-device': [
      'Alguien ha iniciado sesión en la cuenta {account} de {brand} con un navegador, o desde una red, que no se había usado antes para ella.',
      'Si ha sido usted, no tiene que hacer nada. Si no, restablezca su contraseña ahora: así se cierran todas las sesiones.',
    ],
    'export-ready': [
      'El archivo de la cuenta {account} en {brand} que se pidió está listo: publicaciones, imágenes y otros ficheros, ajustes. Para descargarlo, inicie sesión y abra la página «Exportar». Se borrará al cabo de unos días.',
      'Si no fue usted, bórrelo allí, restablezca su contraseña ahora y pídanos ayuda.',
    ],
    'account-deleted': [
      'La cuenta {account} en {brand} ha sido eliminada y se está retirando lo que publicó aquí.',
      'Si no ha sido usted, pídanos ayuda.',
    ],
  },
  footer: {
    reason: 'Recibe este mensaje porque {address} es la dirección de la cuenta {account} en {brand}.',
    support: 'Ayuda',
    contact: 'Contacto',
  },
}

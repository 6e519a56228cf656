/** English words of the page to deactivate or delete an account. */
export const leaveTexts = {
  title: 'Deactivate or delete',
  exportFirst: 'Before you leave, you can take everything with you:',
  exportLink: 'make an archive',
  deactivate: 'Deactivate the account',
  deactivateNote:
    'Nobody sees the account and what it published any more, until you activate it again. Nothing is deleted.',
  deactivated: 'Your account is deactivated.',
  isDeactivated: 'Your account is deactivated: nobody sees it.',
  activate: 'Activate the account',
  activated: 'Your account is active.',
  delete: 'Delete the account',
  deleteNote:
    'The account, everything it published and its archive here are deleted for good. Nobody can bring them back.',
  sendCode: 'Mail me the code to delete the account',
  codeSent: 'The code is on its way.',
  code: 'Code from that mail',
  password: 'Your password',
  deletedTitle: 'Your account is deleted',
  deleted: 'What it published is being removed. A mail confirms it.',
} as const

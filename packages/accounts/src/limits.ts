import { dayMs, hourMs, minuteMs, secondMs } from '@rookery/std'

/** Longest password that may be set, in UTF-16 code units (SPEC AU-9). */
export const newPasswordLengthMax = 256

/** Longest password that a login may offer: passwords from before the limit on new ones still work (SPEC AU-9). */
export const oldPasswordLengthMax = 512

/** Shortest password that may be set over XRPC, where the reference PDS takes any; its sign-up page asks for 8. */
export const newPasswordLengthMin = 6

/** App passwords of one account: each app needs one. */
export const appPasswordsMax = 100

/** Longest name of an app password, in UTF-16 code units. */
export const appPasswordNameLengthMax = 100

/** How many password hashes may wait in one process for their turn; one takes about 20 ms of a core. */
export const passwordQueueMax = 64

/** Shortest and longest first label of a handle under a handle domain (SPEC IDN-14). */
export const handleLabelLengthMin = 3
export const handleLabelLengthMax = 18

/** Longest e-mail address (RFC 5321, 4.5.3.1). */
export const emailLengthMax = 254

/** How long a rotated refresh token keeps answering with its successor (SPEC AU-3), in milliseconds. */
export const refreshGraceMs = 2 * hourMs

/** Verified access tokens that one process remembers; an entry is about 300 bytes. */
export const verifiedTokensMax = 50_000

/** Longest token that is looked at, in characters; ours have about 350. */
export const tokenLengthMax = 4_096

/** How long a mailed token is good for (SPEC EM-1), in milliseconds. */
export const emailTokenLifeMs = 15 * minuteMs

/** Wrong tries after which a mailed token is dead: 50 bits can't be guessed in so few. */
export const emailTokenAttemptsMax = 5

/** How long a sign-up holds its handle and address while the PLC directory is asked, in milliseconds. */
export const signUpClaimMs = 2 * minuteMs

/** How long an account that came from elsewhere may wait to be activated, in milliseconds (SPEC ACC-2). */
export const unclaimedImportMs = 3 * dayMs

/** Most codes that one createInviteCodes call makes. */
export const inviteCodesMax = 500

/** Most invite codes that an account earns as long as nobody uses one (REFERENCE 3.13). */
export const openInviteCodesMax = 5

/** Most invite codes that are shown of the accounts that one call asks for: the newest. */
export const inviteCodesShownMax = 1_000

/** Most uses that are shown of one invite code: the latest. */
export const inviteUsesShownMax = 500

/** Most uses of one invite code. */
export const inviteUsesMax = 1_000_000

/** How long a mailed token is kept to say that it is expired rather than wrong, in milliseconds. */
export const spentTokenKeepMs = dayMs

/** Longest text of what an entry of the audit log tells, in UTF-16 code units. */
export const auditDetailLengthMax = 4_096

/** Most accounts on a page of an operator's list. */
export const listAccountsMax = 1_000

/** Preferences of one account; an app has about twenty kinds, one of them for each label of each labeler. */
export const preferencesMax = 1_000

/** Within this time the audit log has one entry for all failed sign-ins of an account, in milliseconds. */
export const failureWindowMs = hourMs

/** Networks that an account is known to sign in from; the one that was used longest ago is forgotten first. */
export const knownNetworksMax = 30

/** How exactly it is noted when an account signed in from a network that it is known by, in milliseconds. */
export const networkSeenEveryMs = dayMs

/** Browsers and networks that are new to an account within an hour, past which its owner is told of no more. */
export const signInAlertsHourMax = 5

/** Sessions of an account that an operator is shown. */
export const sessionsShownMax = 500

/** Recovery codes that an account is given at once. */
export const recoveryCodesMax = 10

/** Longest code of a second factor that is looked at, in characters; ours have 11. */
export const factorCodeLengthMax = 64

/** Wrong codes of an authenticator app in a row that cost nothing: people mistype, and clocks differ. */
export const totpFreeFailures = 5

/**
 * How long the next wrong code keeps others from being looked at, in milliseconds; each further one keeps twice as
 * long, up to the longest. So some thirty codes a day can be tried, of which each is right with a chance of 3 in 10^6;
 * and only by who has the password.
 */
export const totpRefusalMs = 30 * secondMs
export const totpRefusalMsMax = hourMs

/** Passkeys of one account: each device has one. */
export const passkeysMax = 20

/** Longest name of a passkey, in UTF-16 code units. */
export const passkeyNameLengthMax = 100

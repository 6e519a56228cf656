/** Ages that somebody has reached. */
type DeclaredAge = { isOverAge13: boolean; isOverAge16: boolean; isOverAge18: boolean }

/**
 * Returns which ages somebody has reached, without saying more of the day of birth.
 *
 * @param birthDate a datetime; its day counts as it is in UTC.
 */
export function declaredAge(birthDate: string, now: Date): DeclaredAge {
  const birth = new Date(birthDate)
  const [thisYear, birthYear] = [now.getUTCFullYear(), birth.getUTCFullYear()]
  const isBeforeBirthday =
    now.getUTCMonth() < birth.getUTCMonth() ||
    (now.getUTCMonth() === birth.getUTCMonth() && now.getUTCDate() < birth.getUTCDate())
  const age = thisYear - birthYear - (isBeforeBirthday ? 1 : 0)
  return { isOverAge13: age >= 13, isOverAge16: age >= 16, isOverAge18: age >= 18 }
}

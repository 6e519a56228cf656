/** Least contrast of text with what is behind it (WCAG 2.2, 1.4.3 at level AA). */
export const contrastMin = 4.5

type Rgb = [red: number, green: number, blue: number]

/** Returns the contrast of two colours `#rrggbb`: 1 for equal ones up to 21 (WCAG 2.2). */
export function contrast(a: string, b: string): number {
  const [high, low] = [luminance(parse(a)), luminance(parse(b))].toSorted((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

/** Returns white or black: whichever can be read on the colour. */
export function textOn(color: string): string {
  const [light, dark] = ['#ffffff', '#000000']
  return contrast(light, color) >= contrast(dark, color) ? light : dark
}

/** Returns the colour, darkened or lightened by as little as it takes to be read on the background. */
export function readableOn(color: string, background: string): string {
  const towards = luminance(parse(background)) > 0.18 ? 0 : 255
  for (let step = 0; step <= 20; step++) {
    const mixed = parse(color).map((part) => Math.round(part + (towards - part) * (step / 20))) as Rgb
    if (contrast(format(mixed), background) >= contrastMin) return format(mixed)
  }
  return towards === 0 ? '#000000' : '#ffffff'
}

function parse(color: string): Rgb {
  const value = Number.parseInt(color.slice(1), 16)
  return [value >> 16, (value >> 8) & 0xff, value & 0xff]
}

function format(rgb: Rgb): string {
  return `#${rgb.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((part) => {
    const share = part / 255
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as Rgb
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

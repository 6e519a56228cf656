/**
 * Asks for the page again every few seconds and shows what has changed of what is marked with `data-live`; once nothing
 * is marked any more, the page as a whole. Without it a link does the same.
 */
export const liveScript = `
const live = document.querySelector('[data-live]')
const look = async () => {
  const answer = await window.fetch(location.href).catch(() => undefined)
  if (answer?.ok === true) {
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const next = page.querySelector('[data-live]')
    if (next === null) return location.replace(location.pathname + location.search)
    live.replaceChildren(...next.childNodes)
  }
  setTimeout(look, 3000)
}
if (live !== null) setTimeout(look, 3000)
`

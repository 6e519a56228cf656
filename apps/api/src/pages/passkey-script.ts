/**
 * Lets forms that are marked with `data-passkey` have their passkey made or used by the browser. The only script of
 * ours; without it, or in a browser that has no passkeys, these forms stay hidden.
 */
export const passkeyScript = `
for (const form of document.querySelectorAll('form[data-passkey]')) {
  const isNew = form.dataset.passkey === 'create'
  const { credential, keep } = form.elements
  form.hidden = typeof window.PublicKeyCredential?.parseRequestOptionsFromJSON !== 'function'
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const choice = document.getElementById('keep')
    if (keep && choice) keep.value = choice.checked ? 'yes' : ''
    const options = JSON.parse(form.dataset.options)
    try {
      const made = isNew
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
      credential.value = JSON.stringify(made.toJSON())
      form.submit()
    } catch {
      form.querySelector('[role=alert]').textContent = form.dataset.failed
    }
  })
}
`

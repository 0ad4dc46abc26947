const place = document.getElementById("reference");

// Of an operation's answers the errors are one line, each code a link to where it is explained, and headers that every
// answer has are told of once, above. The whole is in the OpenAPI document, which has the example of each code once.
const ON_EVERY_ANSWER = /^(X-Request-Id|X-RateLimit-.*|RateLimit|RateLimit-Policy)$/;
const ErrorsInOneLine = ({ React }) => ({
  wrapComponents: {
    responses: (Original) => (props) => {
      const isError = (response, status) => /^[45]/.test(status);
      const withoutUsual = (response) => {
        const headers = response.get("headers")?.filterNot((_, name) => ON_EVERY_ANSWER.test(name));
        return headers?.size ? response.set("headers", headers) : response.delete("headers");
      };
      const errors = props.responses.filter(isError);
      const codes = errors
        .entrySeq()
        .flatMap(([status, response]) =>
          [...(response.get("description") || "").matchAll(/\[`(\w+)`\]\(([^)]+)\)/g)].map(([, code, link]) => ({ status, code, link }))
        )
        .toArray();
      const line = codes.flatMap(({ status, code, link }) => [
        " ",
        React.createElement("a", { key: code, href: link }, `${status} ${code}`),
      ]);
      return React.createElement(
        "div",
        { className: "answers" },
        React.createElement(Original, { ...props, responses: props.responses.filterNot(isError).map(withoutUsual) }),
        codes.length ? React.createElement("p", { className: "errors" }, "Errors:", ...line) : null
      );
    },
  },
});

// An operation's head is a button, which can hold no link; the address still follows what is opened. A choice among one
// server is none, and has no name for a screen reader.
const WithinReach = ({ React }) => ({
  wrapComponents: {
    DeepLink: (Original) => (props) =>
      props.path?.includes("/") ? React.createElement("span", null, props.text) : React.createElement(Original, props),
    ServersContainer: () => () => null,
  },
});

// Nor have these fields a name of their own.
const NAMES = { "select.examples-select-element": "Example", "textarea.body-param__text": "Body" };
new MutationObserver(() => {
  for (const [fields, name] of Object.entries(NAMES))
    for (const field of place.querySelectorAll(`${fields}:not([aria-label])`)) field.setAttribute("aria-label", name);
}).observe(place, { childList: true, subtree: true });

window.ui = SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  plugins: [ErrorsInOneLine, WithinReach],
});

// Swagger UI's dark colors are those of a class; which ones a person wants, the browser knows.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

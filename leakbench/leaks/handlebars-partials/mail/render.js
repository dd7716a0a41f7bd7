const Handlebars = require('handlebars');

Handlebars.registerHelper('shout', (text) => String(text).toUpperCase());
Handlebars.registerPartial('footer', '<footer>{{shout "thank you"}}</footer>');

const layout = Handlebars.compile('<main>{{> (lookup . "part")}}</main>{{> footer}}');

// The body comes from an editor and may use the other partials.
function bodyOf(id) {
  return `<p>Dear {{name}}, your order ${id}:</p>{{#each lines}}<li>{{n}} {{text}}</li>{{/each}}`;
}

exports.renderMail = (id, data) => {
  const part = `mail-${id}`;
  Handlebars.registerPartial(part, bodyOf(id)); // LEAK
  return layout({ ...data, part });
};

// The dashboard: aggregates the cube by the chosen filters and passes the sums to the charts. It
// runs in the browser with its own controls, and in JupyterLab, where widgets replace them.
window.salesDashboard = (() => {
  const ALL = -1;
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const number = (value) => value.toLocaleString("en-US");
  const money = (cents) =>
    (cents / 100).toLocaleString("en-US", { style: "currency", currency: "USD" });
  const monthName = (month) => `${MONTHS[month.slice(5) - 1]} ${month.slice(0, 4)}`;

  // Sums in cents. The sums by country ignore the chosen country, and those by line the chosen
  // line, so that the chosen one can be compared with the others.
  function summary(cube, chosen) {
    const sums = {
      months: cube.months.map(() => 0),
      countries: cube.countries.map(() => 0),
      lines: cube.lines.map(() => 0),
      products: cube.products.map(() => 0),
      cents: 0, pieces: 0, all: 0,
    };
    for (let row = 0; row < cube.cents.length; row += 1) {
      const month = cube.month[row];
      if (month < chosen.first || month > chosen.last) continue;
      const cents = cube.cents[row];
      const line = cube.lineOf[cube.product[row]];
      const ofCountry = chosen.country === ALL || cube.country[row] === chosen.country;
      const ofLine = chosen.line === ALL || line === chosen.line;
      sums.all += cents;
      if (ofLine) sums.countries[cube.country[row]] += cents;
      if (ofCountry) sums.lines[line] += cents;
      if (ofCountry && ofLine) {
        sums.months[month] += cents;
        sums.products[cube.product[row]] += cents;
        sums.cents += cents;
        sums.pieces += cube.pieces[row];
      }
    }
    return sums;
  }

  // Returns the largest sums as rows of a chart, and always includes the chosen one.
  function ranked(sums, names, most, chosen) {
    return sums
      .map((cents, place) => ({ label: names[place], value: cents / 100, id: place }))
      .filter((row) => row.value !== 0 || row.id === chosen)
      .sort((one, other) => other.value - one.value)
      .filter((row, place) => place < most || row.id === chosen)
      .map((row, place) => ({ ...row, place, faded: chosen !== ALL && row.id !== chosen }));
  }

  function rows(cube, chosen, sums) {
    const shown = cube.months.map((month, place) => ({
      month: Date.parse(month), label: monthName(month), value: sums.months[place] / 100,
    }));
    return {
      months: shown.slice(chosen.first, chosen.last + 1),
      countries: ranked(sums.countries, cube.countries, chosen.top, chosen.country),
      lines: ranked(sums.lines, cube.lines, Infinity, chosen.line),
      products: ranked(sums.products, cube.products, chosen.top, ALL),
    };
  }

  function tiles(sums) {
    const share = sums.all ? (100 * sums.cents) / sums.all : 0;
    const price = sums.pieces ? money(Math.round(sums.cents / sums.pieces)) : "–";
    return {
      sales: money(sums.cents),
      pieces: number(sums.pieces),
      price,
      share: `${share.toFixed(1)} %`,
    };
  }

  function options(select, names, chosen, all) {
    const choices = names.map((name, place) => [place, name]);
    if (all) choices.unshift([ALL, all]);
    select.replaceChildren(...choices.map(([value, name]) => new Option(name, value)));
    select.value = chosen;
  }

  async function show(root, cube, specs, begin) {
    const everything = {
      country: ALL, line: ALL, first: 0, last: cube.months.length - 1, top: 10,
    };
    const chosen = { ...everything, ...begin };
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    const controls = {};
    for (const name of Object.keys(everything)) controls[name] = part(name);
    const views = {};
    for (const [name, spec] of Object.entries(specs)) {
      const chart = await vegaEmbed(part(name), spec, chartOptions);
      views[name] = chart.view;
    }

    async function draw() {
      const sums = summary(cube, chosen);
      for (const [name, text] of Object.entries(tiles(sums))) part(name).textContent = text;
      const data = rows(cube, chosen, sums);
      for (const [name, view] of Object.entries(views)) {
        await view.data("rows", data[name]).resize().runAsync();
      }
      for (const [name, control] of Object.entries(controls)) {
        if (control) control.value = chosen[name];
      }
      root.dataset.drawn = JSON.stringify(chosen);
    }

    function choose(change) {
      Object.assign(chosen, change);
      if (chosen.first > chosen.last) {
        if ("first" in change) chosen.last = chosen.first;
        else chosen.first = chosen.last;
      }
      draw();
    }

    if (controls.country) {
      const months = cube.months.map(monthName);
      options(controls.country, cube.countries, chosen.country, "All countries");
      options(controls.line, cube.lines, chosen.line, "All product lines");
      options(controls.first, months, chosen.first);
      options(controls.last, months, chosen.last);
      for (const [name, control] of Object.entries(controls)) {
        control.addEventListener("change", () => choose({ [name]: Number(control.value) }));
      }
      part("reset").addEventListener("click", () => choose(everything));
      for (const [name, chart] of [["country", "countries"], ["line", "lines"]]) {
        views[chart].addEventListener("click", (_, item) => {
          const id = item?.datum?.id;
          if (id !== undefined) choose({ [name]: id === chosen[name] ? ALL : id });
        });
      }
    }
    await draw();
  }

  return show;
})();

//! Fleets kept in a spreadsheet: a CSV file with a heading becomes a YAML inventory. UTF-8 with or
//! without a byte-order mark, or GBK.

use std::sync::Arc;

use crate::base::text;
use crate::base::value::{Map, Value};
use crate::base::yaml;

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The inventory as YAML.
    pub yaml: String,
    /// How many hosts there are.
    pub hosts: usize,
    /// What the user should know: rows that were passed over, columns that were left out.
    pub warnings: Vec<String>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    /// The host's name. A second column of names is a variable, too, and names hosts whose first is empty.
    Name(Option<Arc<str>>),
    /// The same of addresses.
    Address(Option<Arc<str>>),
    Port,
    User,
    Groups,
    Password,
    Variable(Arc<str>),
    Nothing,
}

/// A heading that holds one of these is one of passwords.
const PASSWORDS: &[&str] = &["password", "passwd", "pwd", "密码", "口令"];

fn column(heading: &str) -> Column {
    match plain(heading).as_str() {
        "host" | "name" | "hostname" | "host_name" | "server" | "server_name" | "主机"
        | "主机名" | "主机名称" | "名称" | "服务器" | "服务器名" | "服务器名称" | "机器名" => {
            Column::Name(None)
        }
        "address" | "ip" | "ip_address" | "ansible_host" | "private_ip" | "internal_ip"
        | "地址" | "ip地址" | "主机地址" | "主机ip" | "服务器ip" | "内网ip" | "内网地址"
        | "内网ip地址" | "管理ip" => Column::Address(None),
        "port" | "ansible_port" | "端口" => Column::Port,
        "user" | "username" | "ansible_user" | "用户" | "用户名" => Column::User,
        "group" | "groups" | "分组" | "组" | "业务" => Column::Groups,
        "" => Column::Nothing,
        other if PASSWORDS.iter().any(|word| other.contains(word)) => Column::Password,
        "备注" => Column::Variable(Arc::from("note")),
        _ => Column::Variable(variable(heading)),
    }
}

fn plain(heading: &str) -> String {
    heading.trim().to_lowercase().replace([' ', '-'], "_")
}

fn variable(heading: &str) -> Arc<str> {
    let fits = |c: char| c.is_alphanumeric() || c == '_';
    let name = plain(heading).replace(|c| !fits(c), "_");
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        Arc::from(format!("_{name}"))
    } else {
        Arc::from(name)
    }
}

/// What columns are. Of several columns of names or of addresses the first is that of the host, or
/// `ansible_host` wherever it stands; the others are also variables.
fn columns<'a>(headings: impl Iterator<Item = &'a str> + Clone) -> Vec<Column> {
    let named = headings
        .clone()
        .position(|heading| plain(heading) == "ansible_host");
    let (mut name, mut address) = (None, named);
    let columns = headings.zip(0..).map(|(heading, at)| {
        let also =
            |first: &mut Option<usize>| (*first.get_or_insert(at) != at).then(|| variable(heading));
        match column(heading) {
            Column::Name(_) => Column::Name(also(&mut name)),
            Column::Address(_) => Column::Address(also(&mut address)),
            other => other,
        }
    });
    columns.collect()
}

/// Nobody writes more lines into one cell.
const LINES_MAX: usize = 8;

/// Reads a CSV file's bytes. The separator is found out: comma, semicolon or tab.
pub fn import_csv(bytes: &[u8]) -> Result<Imported, String> {
    let gbk = text::encoding("gbk").unwrap_or(text::Charset::UTF_8);
    let decoded = text::decode(bytes, gbk);
    if decoded.lossy {
        return Err("the text is neither UTF-8 nor GBK: save it as UTF-8".into());
    }
    let first = decoded.text.lines().next().unwrap_or_default();
    let separator = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|c| first.bytes().filter(|b| b == c).count())
        .unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(decoded.text.as_bytes());
    let headings = reader.headers().map_err(|error| error.to_string())?.clone();
    let columns = columns(headings.iter());
    if !columns
        .iter()
        .any(|column| matches!(column, Column::Name(_) | Column::Address(_)))
    {
        return Err(format!(
            "no column of names or addresses among `{}`: call one `host` or `address` (主机, 地址)",
            headings.iter().collect::<Vec<_>>().join("`, `")
        ));
    }
    let mut import = Import {
        all: Map::new(),
        groups: Map::new(),
        warnings: Vec::new(),
    };
    if columns.contains(&Column::Password) {
        import.warnings.push(
            "a column of passwords was left out: keep them in a vault (`ansible_password: !vault ...`) or use keys".into(),
        );
    }
    let mut lines = Lines {
        text: &decoded.text,
        line: 1,
        at: 0,
    };
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = lines.of(&record);
        import.row(line, &columns, &record);
        // A quote that is not closed takes all further lines into one field.
        let swallowed = |field: &str| field.lines().count() > LINES_MAX;
        if record.iter().any(swallowed) {
            import.warnings.push(format!(
                "line {line}: a field goes over more than {LINES_MAX} lines: is a quote not closed?"
            ));
        }
    }
    Ok(import.finish())
}

/// Counts lines: fields in quotes may hold line ends, and empty lines are no records.
struct Lines<'a> {
    text: &'a str,
    line: usize,
    at: usize,
}

impl Lines<'_> {
    fn of(&mut self, record: &csv::StringRecord) -> usize {
        let begins = record
            .position()
            .and_then(|position| usize::try_from(position.byte()).ok())
            .unwrap_or(self.at);
        let rest = self.text.get(begins..).unwrap_or_default();
        let begins = begins + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        let passed = self.text.get(self.at..begins).unwrap_or_default();
        self.line += passed.matches('\n').count();
        self.at = begins;
        self.line
    }
}

/// A host's own column has the word; one that is also a variable has it where no other had.
fn told(known: &mut Option<String>, also: Option<&Arc<str>>, field: &str, vars: &mut Map) {
    if let Some(variable) = also {
        vars.insert(variable.clone(), Value::string(field));
    }
    if also.is_none() || known.is_none() {
        *known = Some(field.to_owned());
    }
}

struct Import {
    all: Map,
    groups: Map,
    warnings: Vec<String>,
}

impl Import {
    fn row(&mut self, line: usize, columns: &[Column], record: &csv::StringRecord) {
        if record
            .iter()
            .skip(columns.len())
            .any(|field| !field.is_empty())
        {
            self.warnings.push(format!(
                "line {line}: {} fields below {} headings, the rest was left out",
                record.len(),
                columns.len()
            ));
        }
        let mut vars = Map::new();
        let (mut name, mut address, mut groups) = (None, None, Vec::new());
        for (column, field) in columns.iter().zip(record.iter()) {
            if field.is_empty() {
                continue;
            }
            match column {
                Column::Name(also) => told(&mut name, also.as_ref(), field, &mut vars),
                Column::Address(also) => told(&mut address, also.as_ref(), field, &mut vars),
                Column::Port => match field.parse::<u16>() {
                    Ok(port) if port > 0 => {
                        vars.insert(Arc::from("ansible_port"), Value::Int(port.into()));
                    }
                    _ => self.warnings.push(format!(
                        "line {line}: `{field}` is no port, it was left out"
                    )),
                },
                Column::User => {
                    vars.insert(Arc::from("ansible_user"), Value::string(field));
                }
                Column::Groups => {
                    groups.extend(
                        field
                            .split([',', ';', '/', '|', '、'])
                            .map(|group| group.split_whitespace().collect::<Vec<_>>().join("_")),
                    );
                }
                Column::Variable(variable) => {
                    vars.insert(variable.clone(), Value::string(field));
                }
                Column::Password | Column::Nothing => {}
            }
        }
        let Some(host) = name.or_else(|| address.clone()) else {
            if record.iter().any(|field| !field.is_empty()) {
                self.warnings
                    .push(format!("line {line}: no name and no address, passed over"));
            }
            return;
        };
        // A name is one word of a pattern.
        let host: Arc<str> =
            Arc::from(host.replace(|c: char| c.is_whitespace() || ",:[]!&".contains(c), "_"));
        if let Some(address) = address.filter(|address| **address != *host) {
            vars.shift_insert(0, Arc::from("ansible_host"), Value::string(address));
        }
        if self.all.insert(host.clone(), Value::Map(vars)).is_some() {
            self.warnings.push(format!(
                "line {line}: host `{host}` stands twice, this row wins"
            ));
        }
        for group in groups.into_iter().filter(|group| !group.is_empty()) {
            let entry = self
                .groups
                .entry(Arc::from(group))
                .or_insert_with(|| Value::Map(Map::new()));
            if let Value::Map(hosts) = entry {
                hosts.insert(host.clone(), Value::Map(Map::new()));
            }
        }
    }

    fn finish(self) -> Imported {
        let hosts = self.all.len();
        let mut all = Map::from_iter([(Arc::from("hosts"), Value::Map(self.all))]);
        if !self.groups.is_empty() {
            let children = self.groups.into_iter().map(|(name, hosts)| {
                (
                    name,
                    Value::Map(Map::from_iter([(Arc::from("hosts"), hosts)])),
                )
            });
            all.insert(Arc::from("children"), Value::Map(children.collect()));
        }
        let document = Value::Map(Map::from_iter([(Arc::from("all"), Value::Map(all))]));
        Imported {
            yaml: yaml::write(&document),
            hosts,
            warnings: self.warnings,
        }
    }
}

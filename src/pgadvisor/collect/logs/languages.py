"""What PostgreSQL calls things in its log, by lc_messages.

From src/backend/po of PostgreSQL 12 to 15, letter by letter; the languages in the order that
messages are tried in. auto_explain's own message is in no catalogue: it is always English.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

__all__ = [
    "BEGINNING",
    "LABELS",
    "LANGUAGES",
    "MESSAGE",
    "PLAN",
    "PREPARED",
    "UNKNOWN",
    "Label",
    "Language",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The words of check_log_duration's and check_log_statement's messages in postgres.c."""

    code: str
    #: up to the number
    durations: tuple[str, ...]
    #: behind the number
    milliseconds: tuple[str, ...] = ("ms",)
    statements: tuple[str, ...]
    #: longer ones first: a fetch from a portal begins like an execution of it in some languages
    executes: tuple[str, ...] = ("execute fetch from", "execute")
    #: errdetail_execute: what EXECUTE runs
    prepare: str = "prepare: "


LANGUAGES = (
    Language(code="en", durations=("duration: ",), statements=("statement: ",)),
    Language(
        code="de",
        durations=("Dauer: ",),
        statements=("Anweisung: ",),
        executes=("Ausführen Fetch von", "Ausführen"),
        prepare="Vorbereiten: ",
    ),
    Language(
        code="es",
        durations=("duración: ",),
        statements=("sentencia: ",),
        executes=("ejecutar fetch desde", "ejecutar"),
    ),
    Language(
        code="fr",
        durations=("durée : ",),
        statements=("instruction : ",),
        executes=("exécute fetch à partir de", "exécute"),
        prepare="préparation : ",
    ),
    Language(
        code="it",
        durations=("durata: ",),
        statements=("istruzione: ",),
        executes=("esecuzione di fetch da", "esecuzione di"),
        prepare="preparazione: ",
    ),
    Language(
        code="ja",
        durations=("期間: ",),
        milliseconds=("ミリ秒",),
        statements=("文: ",),
        executes=("取り出し実行", "実行"),
        prepare="準備: ",
    ),
    Language(
        code="ka",
        durations=("ხანგრძლივობა: ",),
        milliseconds=("მწმs", "მწმ"),
        statements=("გამოსახულება: ", "ოპერატორი: "),
        executes=("execute fetch from", "გაშვება"),
        prepare="მომზადება: ",
    ),
    Language(
        code="ko",
        durations=("실행시간: ", "수행시간: "),
        statements=("명령 구문: ",),
        executes=("자료뽑기", "쿼리실행"),
    ),
    Language(
        code="pl",
        durations=("czas trwania: ",),
        statements=("wyrażenie: ",),
        executes=("wykonanie pobrania z", "wykonanie"),
    ),
    Language(
        code="pt_BR",
        durations=("duração: ",),
        statements=("comando: ",),
        executes=("executar busca de", "executar"),
        prepare="preparado: ",
    ),
    Language(
        code="ru",
        durations=("продолжительность: ",),
        milliseconds=("мс",),
        statements=("оператор: ",),
        executes=("выборка из", "выполнение"),
        prepare="подготовка: ",
    ),
    Language(
        code="sv",
        durations=("varaktighet: ", "varaktighet "),
        statements=("sats: ",),
        executes=("kör hämtning från", "kör"),
    ),
    Language(
        code="tr",
        durations=("süre: ",),
        milliseconds=("milisaniye", "ms"),
        statements=("komut: ",),
    ),
    Language(
        code="uk",
        durations=("тривалість: ",),
        milliseconds=("мс",),
        statements=("оператор: ",),
        executes=("виконати витягнення з", "виконувати"),
        prepare="підготовка: ",
    ),
    Language(
        code="zh_CN",
        durations=("耗时: ", "执行时间: "),
        statements=("语句: ",),
        executes=("执行提取，来源为", "执行FETCH操作", "执行"),
        prepare="预备语句: ",
    ),
    Language(
        code="zh_TW",
        durations=("持續時間: ",),
        milliseconds=("毫秒",),
        statements=("陳述式: ",),
        executes=("執行擷取，來源為", "執行"),
        prepare="預備敘述: ",
    ),
)


def _any(words: Iterable[Iterable[str]]) -> str:
    """A pattern for each of them, in their order, once."""
    found = dict.fromkeys(re.escape(word) for some in words for word in some)
    return f"(?:{'|'.join(found)})"


_DURATION = _any(language.durations for language in LANGUAGES)
_MS = _any(language.milliseconds for language in LANGUAGES)
_STATEMENT = _any(language.statements for language in LANGUAGES)
_EXECUTE = _any(language.executes for language in LANGUAGES)
#: old Chinese has one blank only, French and Russian a comma
_BETWEEN = "(?:  ?|, )"

#: the messages that say something of an execution, up to the statement or plan; those of parse
#: and bind do not fit. The name of the last group says what it is. Behind "execute" stands the
#: name of a prepared statement, and "/" and that of its portal.
MESSAGE = re.compile(
    rf"{_DURATION}(?P<ms>\d{{1,15}}\.\d{{1,6}}) ?{_MS}"
    rf"(?:(?P<plan>  plan:\n)|(?P<alone>\s*\Z)"
    rf"|{_BETWEEN}(?P<timed>{_STATEMENT}|{_EXECUTE} ?[^\n]*?: ))"
    rf"|(?P<begun>{_STATEMENT}|{_EXECUTE} ?[^\n]*?: )"
)

#: how those messages begin in the bytes of any format
BEGINNING = re.compile(
    (
        rf"{_DURATION}\d{{1,15}}\.\d{{1,6}} ?{_MS}"
        rf"(?:  plan:|(?=[\r\n\"])|\Z|{_BETWEEN}(?:{_STATEMENT}|{_EXECUTE}))"
        rf"|{_STATEMENT}|{_EXECUTE}"
    ).encode()
)

#: auto_explain's (explain_ExecutorEnd in auto_explain.c), as far as its first line goes
PLAN = re.compile(r"duration: \d{1,15}\.\d{1,6} ms  plan:\n")

#: what stands before the statement that an EXECUTE runs
PREPARED = re.compile(_any((language.prepare,) for language in LANGUAGES))


#: what log_line_prefix prints for a name that is not known (log_status_format in elog.c)
UNKNOWN = frozenset(
    f"[{word}]"
    for word in (
        *("unknown", "unbekannt", "desconocido", "desconhecido", "inconnu", "sconosciuto"),
        *("nieznany", "bilinmeyen", "okänd", "н/д", "უცნობი", "不明", "未知", "알수없음"),
    )
)


class Label(Enum):
    """What a line of the format stderr is, by the word before its colon (elog.c)."""

    LOG = auto()
    #: another severity
    OTHER = auto()
    #: lines behind the first one of an entry
    DETAIL = auto()
    CONTEXT = auto()
    BEHIND = auto()


_WORDS: Mapping[Label, str] = {
    Label.LOG: "LOG DZIENNIK LOGG ЗАПИСУВАННЯ СООБЩЕНИЕ ჟურნალი 日志 日誌 로그",
    Label.OTHER: "ERROR ERREUR ERRO ERRORE BŁĄD FEHLER FEL HATA ОШИБКА ПОМИЛКА შეცდომა 錯誤 错误"
    " 오류 FATAL FATALE FATALT KATASTROFALNY ВАЖНО ФАТАЛЬНО ფატალური 致命錯誤"
    " 致命错误 치명적오류 PANIC PANICO PÂNICO PANIK PANIKA KRİTİK ПАНІКА ПАНИКА"
    " პანიკა 嚴重錯誤 灾难性错误 손상 比致命错误还过分的错误 WARNING ATTENTION"
    " ATTENZIONE AVISO OSTRZEŻENIE UYARI VARNING WARNUNG ПОПЕРЕДЖЕННЯ ПРЕДУПРЕЖДЕНИЕ"
    " გაფრთხილება 警告 경고 NOTICE HINWEIS NOT NOTA NOTIFICA NOTIS UWAGA ЗАМЕЧАНИЕ"
    " ПОВІДОМЛЕННЯ 注意 알림 INFO BİLGİ INFORMACJA ІНФОРМАЦІЯ ИНФОРМАЦИЯ ინფორმაცია"
    " 信息 資訊 정보 DEBUG DEBUG1 DEBUG2 DEBUG3 DEBUG4 DEBUG5 НАЛАГОДЖЕННЯ ОТЛАДКА"
    " გამართვა 调试 除錯 디버그",
    Label.DETAIL: "DETAIL DETALHE DETALJ DETALLE DETTAGLI DÉTAIL SZCZEGÓŁY ВІДОМОСТІ ПОДРОБНОСТИ"
    " დეტალები 詳情 詳細 详情 详细信息 상세정보",
    Label.CONTEXT: "CONTEXT CONTESTO CONTEXTE CONTEXTO KONTEKST KONTEXT ZUSAMMENHANG КОНТЕКСТ"
    " BAĞLAM კონტექსტი 上下文 背景 文脈 コンテキスト 내용 상황",
    Label.BEHIND: "HINT ASTUCE DICA PODPOWIEDŹ SUGGERIMENTO TIPP TIPS ПОДСКАЗКА УКАЗІВКА"
    " მინიშნება ヒント 提示 힌트 QUERY ANFRAGE CONSULTA FRÅGA REQUÊTE ZAPYTANIE"
    " ЗАПИТ ЗАПРОС მოთხოვნა 問い合わせ 查詢 查询 쿼리 LOCATION EMPLACEMENT LOCAL ORT"
    " PLATS POSIZIONE POZYCJA UBICACIÓN РОЗТАШУВАННЯ ПОЛОЖЕНИЕ მდებარეობა 位置 場所"
    " 위치 STATEMENT ANWEISUNG COMANDO INSTRUCTION ISTRUZIONE KOMUT SATS SENTENCIA"
    " WYRAŻENIE ІНСТРУКЦІЯ ОПЕРАТОР ოპერატორი 文 语句 陳述式 구문 BACKTRACE"
    " ВІДСТЕЖУВАТИ СТЕК სტეკი バックトレース 回溯 역추적",
}


def _labels() -> Iterator[tuple[str, Label]]:
    for label, words in _WORDS.items():
        for word in words.split():
            yield word, label


#: by word; a word of none of them may be a severity of another language
LABELS: Mapping[str, Label] = dict(_labels())
